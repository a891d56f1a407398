/** What is to be seen of one open connection, until it ends or the time is over. */
import { isObject } from '../core/check.ts'
import type { Codec } from '../protocols/protocol.ts'
import type { FirstMessage, Handshake, SocketListener } from '../transmissions/transmission.ts'
import { serverNameOf, skewIn } from './answer.ts'
import type { Heard, Wire } from './eyes.ts'
import type { End, Flaw, Opened } from './facts.ts'

export interface ViewOptions {
  readonly codec: Codec
  /** The protocol begins with a welcome. */
  readonly greets: boolean
  readonly dialogue: FirstMessage | undefined
  readonly handshake: Handshake
  /** The offered subprotocols that change with the token. */
  readonly secret: readonly string[]
  readonly signal: AbortSignal | undefined
}

/** Of one that pings: more often than any limit that it was made to outlive. */
const PINGS = 8
const SHORTEST_PING_MS = 50
/** An answer may take so long on a slow network. */
const PONG_MS = 1_000

export class View {
  readonly #options: ViewOptions
  readonly #seen = { greeted: false, ponged: false, asked: false, early: [] as string[] }
  #openedAt: number | undefined
  #end: End | undefined
  /** Of the first frame, where there is one. */
  #answer: 'awaited' | 'accepted' | 'refused' | undefined
  #listener: SocketListener | undefined
  #settle = () => {}

  constructor(options: ViewOptions) {
    this.#options = options
  }

  hear(what: Heard): void {
    if (what.kind === 'pong') this.#seen.ponged = true
    if (what.kind === 'text') this.#read(what.text)
    if (what.kind !== 'ended' || this.#end) return
    const afterMs = Date.now() - (this.#openedAt ?? Date.now())
    this.#end =
      what.code === 1006 ? { how: 'cut', afterMs } : { how: 'close', code: what.code, afterMs }
    this.#settle()
  }

  async watch(wire: Wire, forMs: number, pings: 'once' | 'often'): Promise<Opened> {
    this.#openedAt = Date.now()
    this.#sayFirst(wire)
    wire.ping?.()
    const everyMs = Math.max(forMs / PINGS, SHORTEST_PING_MS)
    const pinging = pings === 'often' ? setInterval(() => wire.ping?.(), everyMs) : undefined
    await this.#wait(forMs)
    clearInterval(pinging)
    const server = serverNameOf(wire.server)
    const skewMs = skewIn(wire.date, this.#openedAt)
    const flaw = this.#flawOf(wire, forMs)
    return {
      kind: 'open',
      ...(flaw && { flaw }),
      ...(this.#end && { end: this.#end }),
      ...(this.#seen.asked && { asks: 'home-assistant' as const }),
      ...(server && { server }),
      ...(skewMs !== undefined && { skewMs }),
    }
  }

  #read(text: string): void {
    const { kind, ...rest } = this.#options.codec.read(text)
    if (kind === 'welcome' || (rest as { greeting?: true }).greeting) this.#seen.greeted = true
    if (wantsToken(text)) this.#seen.asked = true
    if (this.#listener) this.#listener.frame(text)
    else this.#seen.early.push(text)
  }

  /** Sends the token, where it travels in a frame, when the dialogue says so. */
  #sayFirst(wire: Wire): void {
    const { handshake, dialogue } = this.#options
    const frame = handshake.firstFrame
    if (frame === undefined) return
    const make = async (challenge: unknown) =>
      wire.send(typeof frame === 'function' ? await frame(challenge) : frame)
    // One that cannot be made is not said, and what the server does then is seen.
    const say = (challenge?: unknown): void => void make(challenge).catch(() => {})
    if (dialogue === undefined) {
      say()
      return
    }
    this.#answer = 'awaited'
    this.#listener = dialogue.begin(
      { opened: () => {}, frame: () => {} },
      {
        say,
        accepted: () => {
          this.#answer = 'accepted'
        },
        refused: () => {
          this.#answer = 'refused'
          this.#settle()
        },
      },
    )
    this.#listener.opened()
    for (const text of this.#seen.early) this.#listener.frame(text)
  }

  #wait(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#end || this.#answer === 'refused') return resolve()
      const { signal } = this.#options
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', settle)
        resolve()
      }
      const timer = setTimeout(settle, forMs)
      this.#settle = settle
      signal?.addEventListener('abort', settle)
    })
  }

  #flawOf(wire: Wire, forMs: number): Flaw | undefined {
    const { handshake, secret, greets } = this.#options
    const flaw = wire.flaw ?? echoFlaw(wire.protocol, handshake.protocols, secret)
    // Said before the close that follows it, as Home Assistant does.
    if (!flaw && this.#answer === 'refused') return 'refused-in-frame'
    if (flaw || this.#end) return flaw
    if (this.#answer === 'awaited' || (greets && !this.#seen.greeted)) return 'no-welcome'
    return wire.ping && !this.#seen.ponged && forMs >= PONG_MS ? 'no-pong' : undefined
  }
}

/** @see https://developers.home-assistant.io/docs/api/websocket#authentication-phase */
const wantsToken = (text: string): boolean => {
  try {
    const said: unknown = JSON.parse(text)
    return isObject(said) && said['type'] === 'auth_required'
  } catch {
    return false
  }
}

const echoFlaw = (
  echoed: string,
  offered: readonly string[],
  secret: readonly string[],
): Flaw | undefined => {
  if (echoed === '') return offered.length > 0 ? 'not-echoed' : undefined
  if (!offered.includes(echoed)) return 'stranger'
  return secret.includes(echoed) ? 'token-echoed' : undefined
}
