/** Carries out what the plan says: one dial, or one request, and what came of it. */
import type { Protocol } from '../protocols/protocol.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import type { Eyes } from './eyes.ts'
import type { Outcome, ProbeName } from './facts.ts'
import { addressed, handshakeFor, type Subject, secretWords } from './variants.ts'
import { View } from './view.ts'

export interface Watch {
  readonly eyes: Eyes
  readonly subject: Subject
  readonly protocol: Protocol
  readonly timeoutMs: number
  /** How long the configured socket is watched once it is open. */
  readonly watchMs: number
  readonly signal: AbortSignal | undefined
}

/** For most dials but the configured one: longer than daphne takes to close after the accept. */
const GLANCE_MS = 1_500
/** For all dials after one that was not answered. */
const IMPATIENT_MS = 5_000

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
  return look(probe, handshake, { ...watch, timeoutMs }, watchFor(probe, watch, before))
}

/**
 * A limit that was met once is met again; with pings a socket has to live clearly longer than without. A server
 * that was late to close is late again.
 */
const watchFor = (probe: ProbeName, { watchMs }: Watch, before: Outcome | undefined): number => {
  const endedMs = before?.kind === 'open' ? before.end?.afterMs : undefined
  if (probe === 'base' || (probe === 'again' && endedMs !== undefined)) return watchMs
  if (endedMs === undefined) return Math.min(watchMs, GLANCE_MS)
  return probe === 'pinged' ? endedMs * 1.7 + 300 : Math.max(GLANCE_MS, endedMs * 1.5)
}

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
  const { eyes, subject, protocol, timeoutMs, signal } = watch
  const codec = protocol.codec({ clientId: subject.clientId() })
  const view = new View({
    handshake,
    signal,
    codec,
    greets: protocol.greets,
    dialogue: subject.transmission?.firstMessage,
    secret: secretWords(probe, handshake, subject),
  })
  const dialed = await eyes.dial(addressed(handshake, codec), {
    timeoutMs,
    signal,
    heard: (what) => view.hear(what),
  })
  if (dialed.kind === 'missed') return dialed.outcome
  try {
    return await view.watch(dialed.wire, forMs, probe === 'pinged' ? 'often' : 'once')
  } finally {
    dialed.wire.close()
  }
}
