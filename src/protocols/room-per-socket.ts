import { check, func, object, type Rule } from '../core/check.ts'
import { linePerRoom } from '../links/room-lines.ts'
import type { Envelope } from './envelope.ts'
import { envelopeCodec } from './envelope-codec.ts'
import type { Protocol } from './protocol.ts'

export interface RoomPerSocketOptions {
  /** URL of a room's socket, with `{room}`. Default: the socket's own `url`. */
  readonly url?: string
  /**
   * `true` for the hello that the server sends to everybody whom it accepted, as the article's servers do:
   * `(data) => data.message?.startsWith('Welcome, ') === true`. A room is then joined when it arrives,
   * instead of when the socket opens, so give it only where it always comes. It stays a message.
   */
  greeting?(data: unknown): boolean
  /** How messages are written and read. Default JSON, and plain text where it is none. */
  readonly envelope?: Envelope
}

/** Without its room, all rooms would share one URL. */
const roomUrl: Rule = [
  (value) => typeof value === 'string' && value.includes('{room}'),
  'a string with {room}',
]

/**
 * Every room has a socket of its own, with the room in its URL: the article's servers, unchanged. Nothing
 * is acknowledged: `send()` resolves when the frame was handed over.
 *
 * @throws {TypeError | RangeError} which names the wrong option
 */
export function roomPerSocket(options: RoomPerSocketOptions = {}): Protocol {
  const rules = { url: roomUrl, greeting: func, envelope: object }
  const { url, greeting, envelope } = check('roomPerSocket', options, rules)
  const codec = envelopeCodec(envelope, greeting)
  return {
    name: 'room-per-socket',
    rooms: linePerRoom,
    greets: false,
    acknowledges: false,
    ...(url !== undefined && { url }),
    codec: () => codec,
  }
}
