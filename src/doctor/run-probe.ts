/** Carries out what the plan says: one dial, or one request, and what came of it. */
import type { Protocol } from '../protocols/protocol.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import { serverNameOf, skewIn } from './answer.ts'
import type { Eyes, Heard, Wire } from './eyes.ts'
import type { End, Flaw, Opened, Outcome, ProbeName } from './facts.ts'
import { handshakeFor, type Subject, secretWords } from './variants.ts'

export interface Watch {
  readonly eyes: Eyes
  readonly subject: Subject
  readonly protocol: Protocol
  readonly timeoutMs: number
  /** How long the configured socket is watched once it is open. */
  readonly watchMs: number
  readonly signal: AbortSignal | undefined
}

/** For all dials but the configured one: longer than daphne takes to close after the accept. */
const GLANCE_MS = 1_500
/** For all dials after one that was not answered. */
const IMPATIENT_MS = 3_000

/** @param before what the configured dial came to, once it is known */
export const runProbe = async (
  probe: ProbeName,
  watch: Watch,
  before: Outcome | undefined,
): Promise<Outcome> => {
  const { subject, eyes, signal } = watch
  const isHung = before?.kind === 'failed' && before.why === 'timeout'
  const timeoutMs = isHung ? Math.min(watch.timeoutMs, IMPATIENT_MS) : watch.timeoutMs
  const { url } = subject.captured.bare
  if (probe === 'get') return eyes.get(url, { timeoutMs, signal })
  if (probe === 'root') return eyes.get(new URL('/', url), { timeoutMs, signal })
  if (probe === 'other-scheme') return eyes.get(otherScheme(url), { timeoutMs, signal })
  let handshake: Handshake
  try {
    handshake = handshakeFor(probe, subject)
  } catch {
    return { kind: 'unsent' }
  }
  const isBase = probe === 'base' || probe === 'pinged'
  const forMs = isBase ? pinging(probe, watch, before) : Math.min(watch.watchMs, GLANCE_MS)
  return look(probe, handshake, { ...watch, timeoutMs }, forMs)
}

/** With pings it has to live clearly longer than without. */
const pinging = (probe: ProbeName, { watchMs }: Watch, before: Outcome | undefined): number =>
  probe === 'pinged' && before?.kind === 'open' && before.end
    ? before.end.afterMs * 1.7 + 300
    : watchMs

const otherScheme = (url: URL): URL => {
  const isSecure = url.protocol === 'wss:'
  const other = new URL('/', url)
  other.protocol = isSecure ? 'ws:' : 'wss:'
  // The port that was dialed, which is not the other scheme's own.
  other.port = url.port || (isSecure ? '443' : '80')
  return other
}

/** Dials, and watches what opened until it ends or the time is over. */
const look = async (
  probe: ProbeName,
  handshake: Handshake,
  watch: Watch,
  forMs: number,
): Promise<Outcome> => {
  const pings = probe === 'pinged'
  const view = new View(watch, secretWords(probe, handshake, watch.subject))
  const { eyes, timeoutMs, signal } = watch
  const dialed = await eyes.dial(handshake, { timeoutMs, signal, heard: (what) => view.hear(what) })
  if (dialed.kind === 'missed') return dialed.outcome
  const { wire } = dialed
  try {
    for (const frame of watch.subject.captured.firstFrames) wire.send(frame)
    return await view.of(wire, handshake, forMs, pings)
  } finally {
    wire.close()
  }
}

/** What was seen of one open connection. */
class View {
  readonly #watch: Watch
  readonly #codec: ReturnType<Protocol['codec']>
  readonly #secret: readonly string[]
  #openedAt = Date.now()
  #end: End | undefined
  #greeted = false
  #ponged = false
  #settle = () => {}

  constructor(watch: Watch, secret: readonly string[]) {
    this.#watch = watch
    this.#secret = secret
    this.#codec = watch.protocol.codec({ clientId: watch.subject.stranger() })
  }

  hear(what: Heard): void {
    if (what.kind === 'pong') this.#ponged = true
    if (what.kind === 'text' && isGreeting(this.#codec.read(what.text))) this.#greeted = true
    if (what.kind !== 'ended') return
    const afterMs = Date.now() - this.#openedAt
    this.#end =
      what.code === 1006 ? { how: 'cut', afterMs } : { how: 'close', code: what.code, afterMs }
    this.#settle()
  }

  async of(wire: Wire, handshake: Handshake, forMs: number, pings: boolean): Promise<Opened> {
    const everyMs = Math.max(forMs / 8, 50)
    wire.ping?.()
    const pinging = pings ? setInterval(() => wire.ping?.(), everyMs) : undefined
    await this.#wait(forMs)
    clearInterval(pinging)
    const server = serverNameOf(wire.server)
    const skewMs = skewIn(wire.date, this.#openedAt)
    const flaw = this.#flawOf(wire, handshake)
    return {
      kind: 'open',
      ...(flaw && { flaw }),
      ...(this.#end && { end: this.#end }),
      ...(server && { server }),
      ...(skewMs !== undefined && { skewMs }),
    }
  }

  #wait(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#end) return resolve()
      const timer = setTimeout(resolve, forMs)
      this.#settle = () => {
        clearTimeout(timer)
        resolve()
      }
      this.#watch.signal?.addEventListener('abort', this.#settle, { once: true })
    })
  }

  #flawOf(wire: Wire, { protocols }: Handshake): Flaw | undefined {
    if (wire.flaw) return wire.flaw
    const echo = echoFlaw(wire.protocol, protocols, this.#secret)
    if (echo || this.#end) return echo
    if (this.#watch.protocol.greets && !this.#greeted) return 'no-welcome'
    return wire.ping && !this.#ponged ? 'no-pong' : undefined
  }
}

const isGreeting = (incoming: { readonly kind: string; readonly greeting?: true }): boolean =>
  incoming.kind === 'welcome' || incoming.greeting === true

/** @param secret those of the offered subprotocols that change with the token */
const echoFlaw = (
  echoed: string,
  offered: readonly string[],
  secret: readonly string[],
): Flaw | undefined => {
  if (echoed === '') return offered.length > 0 ? 'not-echoed' : undefined
  if (!offered.includes(echoed)) return 'stranger'
  return secret.includes(echoed) ? 'token-echoed' : undefined
}
