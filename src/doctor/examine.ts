/** The whole of an examination: captures the handshake, tries what the plan says, judges, and puts it in words. */
import { setHeader } from '../core/headers.ts'
import { isLoopback } from '../core/loopback.ts'
import type { AnyAuthedSocketError } from '../errors.ts'
import type { AuthedSocketOptions } from '../options.ts'
import { type Captured, capture } from './capture.ts'
import type { Diagnosis, Evidence } from './causes.ts'
import { type CrowdOptions, runCrowd } from './crowd.ts'
import { evidenceOf } from './evidence.ts'
import type { Eyes } from './eyes.ts'
import type { Facts, Outcome, ProbeName, Target, Trouble } from './facts.ts'
import { judge } from './judge.ts'
import { nextProbe } from './plan.ts'
import { solutionOf } from './queries.ts'
import { runProbe, type Watch } from './run-probe.ts'
import { scrubber } from './secrets.ts'
import { Supply } from './supply.ts'
import { tokenFactsOf } from './token-facts.ts'
import { type WayKind, wayNames } from './ways.ts'
import { wordsOf } from './words/index.ts'

export interface Order {
  readonly socket: AuthedSocketOptions
  /** Where each room has a socket. */
  readonly room?: string | undefined
  readonly crowdRoom: string | undefined
  readonly page?: URL
  readonly ways: readonly WayKind[]
  readonly watchMs: number
  readonly timeoutMs: number
  readonly crowd?: CrowdOptions
  readonly signal?: AbortSignal
}

export const examine = async (eyes: Eyes, order: Order): Promise<Diagnosis> => {
  const { room, timeoutMs, watchMs, signal } = order
  signal?.throwIfAborted()
  const socket = eyes.sight === 'node' ? withOrigin(order.socket, order.page) : order.socket
  const found = await capture(socket, room, signal)
  if (found.kind === 'failed') return report(troubled(eyes, order, found.error), [])
  const { captured } = found
  const { transmission, protocol } = socket
  const subject = { captured, transmission, room, stranger, clientId }
  const watch: Watch = { eyes, subject, protocol, timeoutMs, watchMs, signal }
  const supply = new Supply(captured, socket, room, signal)
  const facts = await tryAll(factsOf(eyes, order, captured), order, watch, supply)
  return report(facts, supply.all.flatMap(secretsOf))
}

const tryAll = async (facts: Facts, order: Order, watch: Watch, supply: Supply): Promise<Facts> => {
  const trials = new Map<ProbeName, Outcome>()
  const known: Facts = { ...facts, trials }
  for (let probe = nextProbe(known); probe !== undefined; probe = nextProbe(known)) {
    const { crowd, crowdRoom = 'authed-socket-doctor' } = order
    const captured = carriesToken(probe) ? await supply.next() : watch.subject.captured
    const now = { ...watch, subject: { ...watch.subject, captured } }
    const outcome =
      probe === 'crowd' && crowd
        ? await runCrowd(crowd, crowdRoom, now)
        : await runProbe(probeOf(probe, known), now, trials.get('base'))
    order.signal?.throwIfAborted()
    trials.set(probe, outcome)
  }
  return known
}

/** What is dialed for it. */
const probeOf = (probe: ProbeName, facts: Facts): ProbeName =>
  probe === 'confirm' ? (solutionOf(facts) ?? 'base') : probe

/** The first dial has its token already. */
const carriesToken = (probe: ProbeName): boolean =>
  !['base', 'get', 'root', 'other-scheme', 'fake-token', 'long-token', 'unknown-path'].includes(
    probe,
  ) && !probe.startsWith('fake-way:')

/** As a page there would send it, unless the options say otherwise. */
const withOrigin = (socket: AuthedSocketOptions, page: URL | undefined): AuthedSocketOptions => {
  if (page === undefined) return socket
  // Any object fits the option; these are the members that hold an Origin.
  const given = (socket.webSocketOptions ?? {}) as {
    origin?: string
    headers?: Record<string, string>
  }
  if (given.origin !== undefined) return socket
  const headers = setHeader(given.headers ?? {}, 'Origin', (before) => before ?? page.origin)
  return { ...socket, webSocketOptions: { ...given, headers } }
}

const factsOf = (eyes: Eyes, order: Order, captured: Captured): Facts => {
  const { url, protocols, headers } = captured.full
  const origin = Object.entries(headers).find(([name]) => name.toLowerCase() === 'origin')?.[1]
  // Typed as always there; Node has none.
  const browser: Navigator | undefined = globalThis.navigator
  return {
    ...commonFacts(eyes, order),
    target: {
      ...pageFacts(eyes, order),
      secure: url.protocol === 'wss:',
      loopback: isLoopback(url.hostname),
      path: captured.bare.url.pathname,
      room: order.room !== undefined,
      offered: protocols.length,
      origin:
        origin === undefined
          ? 'none'
          : origin === url.origin.replace('ws', 'http')
            ? 'own'
            : 'other',
    },
    token: tokenFactsOf(captured),
    ...(eyes.sight === 'browser' && browser?.onLine === false && { offline: true }),
  }
}

const commonFacts = (eyes: Eyes, { ways, crowd, watchMs }: Order) => ({
  sight: eyes.sight,
  at: Date.now(),
  ways: wayNames(ways, eyes.sight),
  wantsCrowd: crowd !== undefined,
  watchMs,
  trials: new Map(),
})

const pageFacts = (eyes: Eyes, { page }: Order): Pick<Target, 'page'> => {
  // Typed as always there; Node has none.
  const place: Location | undefined = globalThis.location
  const protocol = eyes.sight === 'browser' ? place?.protocol : page?.protocol
  if (protocol === 'https:') return { page: 'https' }
  return protocol === 'http:' ? { page: 'http' } : {}
}

const troubled = (eyes: Eyes, order: Order, error: AnyAuthedSocketError): Facts => ({
  ...commonFacts(eyes, order),
  target: {
    ...pageFacts(eyes, order),
    secure: error.code !== 'INSECURE_URL',
    loopback: false,
    path: '/',
    room: order.room !== undefined,
    offered: 0,
    origin: 'none',
  },
  token: { carried: 'none', length: 0, wrapped: false },
  trouble: troubleOf(error),
})

/** Our own errors hold no token. */
const troubleOf = ({ code, message }: AnyAuthedSocketError): Trouble => {
  if (code === 'INSECURE_URL') return { cause: 'insecure-url', detail: message }
  if (code === 'TOKEN_INVALID' && message.includes('expired')) return { cause: 'token-expired' }
  return code === 'TOKEN_INVALID'
    ? { cause: 'token-cannot-travel', detail: message }
    : { cause: 'no-token', detail: message }
}

const report = (facts: Facts, secrets: readonly string[]): Diagnosis => {
  const scrub = scrubber(secrets)
  const finding = judge(facts)
  const { says, fix } = wordsOf(finding, facts)
  const evidence: Evidence[] = evidenceOf(facts).map(({ tried, saw }) => ({
    tried: scrub(tried),
    saw: scrub(saw),
  }))
  const clean = Object.fromEntries(
    Object.entries({ ...finding, says, fix }).map(([name, value]) => [
      name,
      typeof value === 'string' ? scrub(value) : value,
    ]),
  )
  // The same members, each text looked at once more.
  return { ...clean, evidence } as unknown as Diagnosis
}

const secretsOf = ({ token, full }: Captured): readonly string[] => [
  ...(token === undefined ? [] : [token]),
  // Cookies, and whatever the user put there.
  ...Object.entries(full.headers)
    .filter(([name]) => name.toLowerCase() !== 'origin')
    .map(([, value]) => value),
]

/** Nobody has a room, path or token of this name. */
const stranger = (): string => `authed-socket-doctor-${random(6)}`

/** 128 bits in hex, as every socket has. */
const clientId = (): string => random(16)

const random = (bytes: number): string =>
  [...crypto.getRandomValues(new Uint8Array(bytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
