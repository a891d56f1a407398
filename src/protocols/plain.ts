import { oneLine } from '../links/one-line.ts'
import type { Envelope } from './envelope.ts'
import { envelopeCodec } from './envelope-codec.ts'
import type { Protocol } from './protocol.ts'

/**
 * One socket without rooms: `socket.send(data)`, `socket.on('message')`. Nothing is acknowledged: `send()`
 * resolves when the frame was handed over.
 *
 * @param envelope how messages are written and read; default JSON, and plain text where it is none
 * @throws {TypeError | RangeError} which names the wrong field
 */
export function plain(envelope?: Envelope): Protocol {
  const codec = envelopeCodec(envelope)
  return {
    name: 'plain',
    rooms: oneLine,
    greets: false,
    acknowledges: false,
    codec: () => codec,
  }
}
