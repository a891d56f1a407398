import { check, duration, func, isObject, own, words } from '../core/check.ts'
import { bytesOf, toJson } from '../core/json.ts'
import { checkToken, ENCODED } from './token-rules.ts'
import type { FirstFrame, Transmission } from './transmission.ts'

/**
 * The dialogue of your server. `accepted`, `refused` and `after` get each frame until the answer has come:
 * the value of its JSON, else its text, or the bytes of a binary one. One that throws has said no.
 */
export interface FirstMessageOptions {
  /**
   * The frame for a token: a text, an object that is sent as JSON, or bytes that are sent as bytes. Where there is an
   * `after`, it gets the frame that `after` recognised (a challenge), on each socket anew, and may be async: to sign it.
   */
  frame(token: string, challenge?: unknown): string | object | Promise<string | object>
  /** `true` for the frame by which the server accepts. Your protocol reads it too: as a welcome, or a message. */
  accepted(frame: unknown): boolean
  /** `true` for the frame by which the server refuses the token. Default: it closes, as with 4003. */
  refused?(frame: unknown): boolean
  /** `true` for the frame after which the server wants the token. Default: it is sent at the open. */
  after?(frame: unknown): boolean
  /**
   * Without an answer so long after the open the attempt has failed, in ms. Default 5,000, and never more than is left
   * of the socket's `connectTimeoutMs`.
   */
  readonly timeoutMs?: number
}

/** A dialogue that is known. */
export interface FirstMessagePreset {
  /**
   * `'rooms'`: the rooms protocol v1, with `multiplexed()`. `'home-assistant'`: Home Assistant's WebSocket API.
   *
   * @see docs/protocol.md, `auth`
   * @see https://developers.home-assistant.io/docs/api/websocket#authentication-phase
   */
  readonly preset: 'rooms' | 'home-assistant'
  /** As in `FirstMessageOptions`. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 5_000

const isOfType = (type: string) => (frame: unknown) => isObject(frame) && frame['type'] === type

const rooms = (): FirstMessageOptions => ({
  // The id is free: no other request has been sent.
  frame: (token) => ({ type: 'auth', id: 0, token }),
  accepted: isOfType('welcome'),
})

const homeAssistant = (): FirstMessageOptions => ({
  frame: (token) => ({ type: 'auth', access_token: token }),
  accepted: isOfType('auth_ok'),
  refused: isOfType('auth_invalid'),
  after: isOfType('auth_required'),
})

/**
 * The token travels in the first frame after the open, in the shape of your server, so that no log of URLs or
 * headers holds it. Nothing else is sent before the answer, and what the server says before it is no message.
 * A refusal asks for a fresh token; no answer is an attempt that failed, and says nothing of the token.
 *
 * @param options your own dialogue, or `'rooms'`, `'home-assistant'`, `{ preset: 'rooms', timeoutMs: 2_000 }`
 * @throws {TypeError | RangeError} which names the wrong option
 */
export function viaFirstMessage(
  options: FirstMessageOptions | FirstMessagePreset | FirstMessagePreset['preset'],
): Transmission {
  const { frame, accepted, refused, after, timeoutMs = TIMEOUT_MS } = dialogueOf(options)
  return {
    name: 'first-message',
    runtimes: 'any',
    carry(handshake, token) {
      checkToken(token, ENCODED)
      const answer = async (challenge: unknown) => {
        const made = await quietly(() => frame(token, challenge))
        return written(() => made, token)
      }
      return { ...handshake, firstFrame: after ? answer : written(frame, token) }
    },
    firstMessage: {
      timeoutMs,
      begin: (next, { say, accepted: accept, refused: refuse }) => {
        let awaited = after
        let isAccepted = false
        return {
          opened() {
            next.opened()
            if (!awaited) say()
          },
          frame(data) {
            if (isAccepted) return next.frame(data)
            const said = meaningOf(data)
            if (isSo(accepted, said)) {
              isAccepted = true
              accept(data)
            } else if (isSo(refused, said)) refuse()
            else if (isSo(awaited, said)) {
              awaited = undefined
              say(said)
            }
          },
        }
      },
    },
  }
}

const isDialogue = (
  given: FirstMessageOptions | FirstMessagePreset,
): given is FirstMessageOptions => isObject(given) && !Object.hasOwn(given, 'preset')

function dialogueOf(
  options: FirstMessageOptions | FirstMessagePreset | FirstMessagePreset['preset'],
): FirstMessageOptions {
  const given = typeof options === 'string' ? { preset: options } : options
  if (isDialogue(given)) {
    const rules = { frame: func, accepted: func, refused: func, after: func, timeoutMs: duration }
    return check('viaFirstMessage', given, rules, ['frame', 'accepted'])
  }
  const rules = { preset: words('rooms', 'home-assistant'), timeoutMs: duration }
  const { preset, timeoutMs } = check('viaFirstMessage', given, rules, ['preset'])
  return own({
    ...(preset === 'rooms' ? rooms() : homeAssistant()),
    ...(timeoutMs && { timeoutMs }),
  })
}

/** What is thrown may quote the token, so it goes nowhere, not even into `cause`. */
const quietly = async (make: () => unknown): Promise<unknown> => {
  try {
    return await make()
  } catch {
    return undefined
  }
}

function written(frame: (token: string) => unknown, token: string): FirstFrame {
  let detail = ' threw, or returned no text and no object'
  let made: unknown
  try {
    made = frame(token)
  } catch {
    // It may quote the token, so it goes nowhere, not even into `cause`.
  }
  try {
    const isData = typeof made === 'object' && made !== null && !('then' in made)
    const first = isData ? (bytesOf(made) ?? toJson(made, 'frame')) : made
    if (typeof first === 'string' && first !== '') return first
    if (first instanceof ArrayBuffer && first.byteLength > 0) return first
  } catch (error) {
    // A text of ours, but a path of the user's: the token may be a key.
    detail = `: ${(error as Error).message}`.replaceAll(token, '…')
  }
  throw new TypeError(`viaFirstMessage: frame${detail}`)
}

const meaningOf = (data: string | ArrayBuffer): unknown => {
  if (typeof data !== 'string') return data
  try {
    return JSON.parse(data)
  } catch {
    return data
  }
}

const isSo = (test: ((frame: unknown) => boolean) | undefined, frame: unknown): boolean => {
  try {
    return test?.(frame) === true
  } catch {
    // Written for one frame, it was asked about another: the greeting of a proxy, a ping.
    return false
  }
}
