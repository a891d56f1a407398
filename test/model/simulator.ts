/**
 * One session and N links in virtual time, without a shell: only `transition`, `workOf`, `standingOf` and
 * `grantOf`, an event queue, a scripted token source and a scripted server. It works the way the shell does:
 * wanted work is started, other work is stopped and muted, every changed link reports its standing.
 */
import type { Credential } from '../../src/core/credential.ts'
import {
  transition as credentialTransition,
  workOf as credentialWork,
} from '../../src/core/credential-machine.ts'
import {
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  initialCredentialState,
} from '../../src/core/credential-state.ts'
import { HOST_EVERY_MS } from '../../src/core/delays.ts'
import { mayDoubt } from '../../src/core/doubt.ts'
import { grantOf } from '../../src/core/grant.ts'
import { lifeOf } from '../../src/core/lifetime.ts'
import { stageOf } from '../../src/core/link-ends.ts'
import { standingOf, transition } from '../../src/core/link-machine.ts'
import {
  type EventOf,
  initialLinkState,
  type LinkEvent,
  type LinkLimits,
  type LinkMachine,
  type LinkState,
  type Memory,
} from '../../src/core/link-state.ts'
import { successorOf } from '../../src/core/link-swap.ts'
import { workOf } from '../../src/core/link-work.ts'
import { closeVerdict, type Stage, statusVerdict } from '../../src/core/policy.ts'
import type { Grant } from '../../src/core/standing.ts'
import { Inquiry } from '../../src/sessions/inquiry.ts'

export type WithoutMoment<Event> = Event extends unknown ? Omit<Event, 'at' | 'roll'> : never

/** What a server issues: real times are the server's, in ms of virtual time. */
export interface Token {
  readonly value: string
  /** As the endpoint says it beside the token. */
  readonly expiresInMs?: number
  /** Claims, in s of the server's clock. */
  readonly iat?: number
  readonly exp?: number
  readonly identity?: string
  /** When the server stops taking it, whether or not it tells. */
  readonly diesAt?: number
}

export type Answer =
  | { readonly token: Token }
  | { readonly say: 'unavailable' | 'refused' | 'signed-out'; readonly retryAfterMs?: number }
export interface Answering {
  readonly answer: Answer
  /** Without it the answer never comes. */
  readonly afterMs: number | undefined
}

/** `n` counts from 1. */
export interface Asked {
  readonly n: number
  readonly at: number
  readonly reason: string
  readonly fresh: boolean
}
export type Source = (asked: Asked) => Answering

export interface Dial {
  readonly link: number
  /** Of this link, from 1. */
  readonly n: number
  readonly at: number
  readonly token: Token
  readonly credential: Credential
}
/** What becomes of a socket, each so many ms after the dial. */
export type Step =
  | { readonly afterMs: number; readonly do: 'open' | 'frame' | 'greet' | 'fail' }
  | { readonly afterMs: number; readonly do: 'close'; readonly code: number }
  | {
      readonly afterMs: number
      readonly do: 'status'
      readonly status: number
      readonly retryAfterMs?: number
    }
export type Server = (dial: Dial) => readonly Step[]

/** Who takes or refuses a token is what the option `probe` asks. */
export type Host = (at: number) => EventOf<'probed'>['probe']

export interface Options {
  readonly source: Source
  readonly server: Server
  readonly host?: Host
  readonly seed?: number
  readonly session?: Partial<CredentialLimits>
  readonly link?: Partial<LinkLimits>
  /** What the server does with a younger token on the live socket. Default: nothing was offered. */
  readonly renewals?: 'taken' | 'refused'
  /** Default: the machine without a swap. */
  readonly machine?: LinkMachine
  /** How a successor's rooms are joined, and whether the current socket answers what it was sent. Default: both do. */
  readonly joins?: 'answered' | 'refused' | 'silent'
  readonly lastAnswers?: 'come' | 'never'
  /** The client's clock minus the server's. */
  readonly skewMs?: number
}

export const CREDENTIAL_LIMITS: CredentialLimits = {
  canRenew: true,
  canAsk: true,
  everyDial: false,
  rotates: false,
  tokenTimeoutMs: 10_000,
  scale: 1,
}
export const LINK_LIMITS: LinkLimits = {
  ownsRoom: true,
  greets: false,
  settleMs: 5_000,
  connectTimeoutMs: 10_000,
  closeAtExpiry: false,
  renewal: 'on-close',
  scale: 1,
}

/** An arbitrary day. The server's clock; virtual time starts here. */
export const START = 1_800_000_000_000
/** How long news travel, one way. */
export const LATENCY_MS = 40

interface Running {
  readonly key: string
  stopped: boolean
}
interface Turn {
  readonly at: number
  readonly run: () => void
}
interface LinkActor {
  readonly id: number
  dials: number
  state: LinkState
  last: Grant | undefined
  readonly running: Map<string, Running>
}

export interface RequestRecord extends Asked {
  endedAt?: number
  /** Nobody listened when its answer came. */
  muted?: boolean
}

const MAX_STEPS_AT_ONCE = 5_000

export class Simulator {
  readonly dials: Dial[] = []
  readonly requests: RequestRecord[] = []
  /** Each change of a link's kind. */
  readonly states: { at: number; link: number; kind: LinkState['kind'] }[] = []
  readonly phases: { at: number; kind: CredentialState['phase']['kind'] }[] = []
  /** When hosts were probed. */
  readonly probes: number[] = []
  /** When younger tokens were told to the server. */
  readonly offers: number[] = []
  session: CredentialState = initialCredentialState
  /** Sees every state of the session and of a link, right after it was reached. */
  watch: (sim: Simulator) => void = () => {}
  readonly sessionLimits: CredentialLimits
  readonly linkLimits: LinkLimits
  readonly #machine: LinkMachine
  readonly #options: Options
  readonly #links = new Map<number, LinkActor>()
  readonly #sessionWork = new Map<string, Running>()
  readonly #tokens: { credential: Credential; token: Token }[] = []
  readonly #inquiry = new Inquiry<{
    readonly probe: EventOf<'probed'>['probe']
    readonly at: number
  }>()
  readonly #inbox: (() => void)[] = []
  readonly #turns: Turn[] = []
  #now = START
  #random: () => number
  #draining = false
  #steps = 0

  constructor(options: Options) {
    this.#options = options
    this.#machine = options.machine ?? { transition, workOf }
    this.sessionLimits = { ...CREDENTIAL_LIMITS, ...options.session }
    this.linkLimits = { ...LINK_LIMITS, ...options.link }
    this.#random = randomOf(options.seed ?? 1)
  }

  /** The server's clock, in ms since the start. */
  get now(): number {
    return this.#now - START
  }

  /** What the client's clock shows, as every event carries it. */
  get clock(): number {
    return this.#now + (this.#options.skewMs ?? 0)
  }

  link(id: number): LinkState {
    return this.#actor(id).state
  }

  get links(): LinkState[] {
    return [...this.#links.values()].map(({ state }) => state)
  }

  /** Sockets that run now. */
  get sockets(): string[] {
    return [...this.#links.values()].flatMap(({ id, running }) =>
      [...running.keys()].filter((key) => key.startsWith('socket')).map((key) => `${id} ${key}`),
    )
  }

  /** Pieces of work that run now, of the session. */
  get sessionWork(): string[] {
    return [...this.#sessionWork.keys()]
  }

  tell(id: number, event: WithoutMoment<LinkEvent>): void {
    const actor = this.#actor(id)
    this.#soon(() => this.#stepLink(actor, event))
  }

  connect(...ids: number[]): this {
    for (const id of ids) this.tell(id, { type: 'connect' })
    return this
  }

  disconnect(...ids: number[]): this {
    for (const id of ids) this.tell(id, { type: 'disconnect' })
    return this
  }

  dispatch(event: WithoutMoment<CredentialEvent>): void {
    this.#soon(() => this.#stepSession(event))
  }

  login(token: Token): void {
    this.dispatch({ type: 'login', credential: this.#keep(token), how: 'login' })
  }

  logout(): void {
    for (const id of this.#links.keys()) this.disconnect(id)
    this.dispatch({ type: 'logout' })
  }

  /** Runs something at a time of the story, in ms since the start. */
  at(ms: number, run: () => void): this {
    this.#later(START + ms, () => this.#soon(run))
    return this
  }

  /** Lets so much time pass. */
  run(ms: number): this {
    return this.runUntil(this.now + ms)
  }

  runUntil(ms: number): this {
    const end = START + ms
    for (;;) {
      const turn = this.#next(end)
      if (turn === undefined) break
      if (turn.at > this.#now) this.#steps = 0
      this.#now = Math.max(this.#now, turn.at)
      turn.run()
    }
    this.#now = Math.max(this.#now, end)
    this.#steps = 0
    return this
  }

  /** The latest turn first, so that the next one is taken from the end. */
  #next(end: number): Turn | undefined {
    const next = this.#turns[this.#turns.length - 1]
    return next !== undefined && next.at <= end ? this.#turns.pop() : undefined
  }

  #later(at: number, run: () => void): void {
    let [low, high] = [0, this.#turns.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#turns[middle]?.at ?? 0) > at) low = middle + 1
      else high = middle
    }
    this.#turns.splice(low, 0, { at, run })
  }

  #soon(run: () => void): void {
    this.#inbox.push(run)
    if (this.#draining) return
    this.#draining = true
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) {
        if (++this.#steps > MAX_STEPS_AT_ONCE) throw new Error('the machines talk without end')
        next()
        this.watch(this)
      }
    } finally {
      this.#draining = false
    }
  }

  #moment(): { at: number; roll: number } {
    return { at: this.clock, roll: this.#random() }
  }

  #actor(id: number): LinkActor {
    const known = this.#links.get(id)
    if (known) return known
    const actor: LinkActor = {
      id,
      dials: 0,
      state: initialLinkState,
      last: undefined,
      running: new Map(),
    }
    this.#links.set(id, actor)
    return actor
  }

  #stepLink(actor: LinkActor, event: WithoutMoment<LinkEvent>): void {
    const previous = actor.state
    const next = this.#machine.transition(
      previous,
      { ...event, ...this.#moment() } as LinkEvent,
      this.linkLimits,
    )
    if (next === previous) return
    actor.state = next
    if (next.kind !== previous.kind)
      this.states.push({ at: this.now, link: actor.id, kind: next.kind })
    reconcile(actor.running, this.#machine.workOf(next, this.linkLimits), (work, running) => {
      const report = (wanted: WithoutMoment<LinkEvent>) =>
        this.#soon(() => {
          if (!running.stopped) this.#stepLink(actor, wanted)
        })
      if (work.kind === 'timer') this.#timer(work.at, () => report({ type: work.event }))
      else if (work.kind === 'socket')
        this.#dial(actor, work.credential, (event) => report({ ...event, dial: work.dial }))
      else if (work.kind === 'probe') {
        this.#later(this.#now, () => this.#probe(work.credential, next.memory, running, report))
      } else if (work.kind === 'offer') {
        this.offers.push(this.now)
        const type = this.#options.renewals === 'taken' ? 'renewed' : 'renewal-failed'
        this.#later(this.#now + 2 * LATENCY_MS, () => report({ type }))
      }
    })
    this.#goOn(actor, previous)
    // As the shell: what it had been granted is said again.
    actor.last = undefined
    this.#soon(() => this.#stepSession({ type: 'link', id: actor.id, standing: standingOf(next) }))
  }

  /** Asked for all links of the session, once it has heard that this one waits. */
  #probe(
    credential: number,
    { suspectSince, failures, everConnected }: Memory,
    running: Running,
    report: (event: WithoutMoment<LinkEvent>) => void,
  ): void {
    const asksToken = ['accepted', 'refused'].includes(this.#options.host?.(this.now) ?? '')
    const forMs = this.clock - (suspectSince ?? this.clock)
    const isFirst = failures === 1 && !everConnected
    const known = this.#inquiry.ask(
      asksToken ? `${credential}` : 'host',
      [suspectSince ?? this.clock, this.clock],
      HOST_EVERY_MS * this.sessionLimits.scale,
      () =>
        asksToken ||
        isFirst ||
        (suspectSince !== undefined &&
          mayDoubt(this.session, { forMs, at: this.clock }, this.sessionLimits)),
      () => {
        this.probes.push(this.now)
        const probe = this.#options.host?.(this.now) ?? 'answers'
        return { probe, at: this.#now + 2 * LATENCY_MS }
      },
    )
    if (!known) return
    this.#later(Math.max(this.#now, known.at), () => {
      if (known.probe === 'refused' && !running.stopped) this.#inquiry.heard()
      report({ type: 'probed', probe: known.probe })
    })
  }

  /** The rooms on a second socket, and the last answers on the first. */
  #goOn(actor: LinkActor, previous: LinkState): void {
    const stage = successorOf(actor.state)?.kind
    if (stage === successorOf(previous)?.kind) return
    const { joins = 'answered', lastAnswers = 'come' } = this.#options
    const { dials } = actor.state.memory
    const soon = (type: 'resumed' | 'renewal-failed' | 'moved') =>
      this.#later(this.#now + 2 * LATENCY_MS, () => {
        const isSame =
          successorOf(actor.state)?.kind === stage && actor.state.memory.dials === dials
        if (isSame) this.tell(actor.id, { type })
      })
    if (stage === 'joining' && joins !== 'silent')
      soon(joins === 'answered' ? 'resumed' : 'renewal-failed')
    if (stage === 'joined' && lastAnswers === 'come') soon('moved')
  }

  #stepSession(event: WithoutMoment<CredentialEvent>): void {
    const previous = this.session
    const next = credentialTransition(
      previous,
      { ...event, ...this.#moment() } as CredentialEvent,
      this.sessionLimits,
    )
    if (next === previous) return
    this.session = next
    const isAnother = next.whose.since > previous.whose.since
    if (event.type === 'login' || (isAnother && event.type !== 'logout'))
      for (const id of this.#links.keys())
        this.tell(id, { type: 'signed-in', who: isAnother ? 'another' : 'same' })
    if (next.phase.kind !== previous.phase.kind)
      this.phases.push({ at: this.now, kind: next.phase.kind })
    reconcile(this.#sessionWork, credentialWork(next, this.sessionLimits), (work, running) => {
      const report = (wanted: WithoutMoment<CredentialEvent>) =>
        this.#soon(() => {
          if (!running.stopped) this.#stepSession(wanted)
        })
      if (work.kind === 'timer') this.#timer(work.at, () => report({ type: work.event }))
      else this.#ask(work.ask, running, report)
    })
    for (const actor of this.#links.values()) {
      const grant = grantOf(next, actor.id)
      if (grant === undefined || isSame(grant, actor.last)) continue
      actor.last = grant
      this.#soon(() => this.#stepLink(actor, { type: 'granted', grant }))
    }
  }

  /** Timers ring by the client's clock, a little early at times, as those of platforms do. */
  #timer(at: number, ring: () => void): void {
    const skew = this.#options.skewMs ?? 0
    const early = this.#random() < 0.1 ? 1 : 0
    this.#later(Math.max(this.#now, at - skew - early), ring)
  }

  #ask(
    { reason, fresh }: { reason: string; fresh: boolean },
    running: Running,
    report: (event: WithoutMoment<CredentialEvent>) => void,
  ): void {
    const record: RequestRecord = { n: this.requests.length + 1, at: this.now, reason, fresh }
    this.requests.push(record)
    const { answer, afterMs } = this.#options.source(record)
    if (afterMs === undefined) return
    this.#later(this.#now + afterMs, () => {
      record.endedAt = this.now
      record.muted = running.stopped
      if (running.stopped) return
      report(this.#eventOf(answer, fresh))
    })
  }

  #eventOf(answer: Answer, fresh: boolean): WithoutMoment<CredentialEvent> {
    if ('token' in answer) return { type: 'answered', credential: this.#keep(answer.token, fresh) }
    const { say, retryAfterMs } = answer
    switch (say) {
      case 'signed-out':
        return { type: 'signed-out' }
      case 'refused':
        return { type: 'refused', problem: { kind: 'token-refused', cause: undefined } }
      case 'unavailable':
        return {
          type: 'unavailable',
          problem: { kind: 'token-unavailable', cause: undefined },
          ...(retryAfterMs !== undefined && { retryAfterMs }),
        }
    }
  }

  /** The same value keeps its id and its first receipt, as in the wallet of a session. */
  #keep(token: Token, fresh = false): Credential {
    const known = this.#tokens.find((kept) => kept.token.value === token.value)
    if (known) return known.credential
    const receivedAt = this.clock
    const credential: Credential = {
      id: this.#tokens.length + 1,
      receivedAt,
      ...lifeOf({ ...token, receivedAt, fresh }),
      ...(token.identity !== undefined && { name: [token.identity] }),
    }
    this.#tokens.push({ credential, token })
    return credential
  }

  #dial(
    actor: LinkActor,
    credential: Credential,
    report: (event: WithoutMoment<LinkEvent>) => void,
  ): void {
    const token = this.#tokens.find((kept) => kept.credential.id === credential.id)?.token
    if (!token) throw new Error('a credential that the session never got')
    const dial: Dial = { link: actor.id, n: ++actor.dials, at: this.now, token, credential }
    this.dials.push(dial)
    for (const step of this.#options.server(dial))
      this.#later(this.#now + step.afterMs, () => report(this.#linkEvent(actor, step)))
  }

  #linkEvent({ state }: LinkActor, step: Step): WithoutMoment<LinkEvent> {
    switch (step.do) {
      case 'open':
        return { type: 'opened' }
      case 'frame':
        return { type: 'accepted' }
      case 'greet':
        return { type: 'greeted', renewable: this.#options.renewals !== undefined }
      case 'fail':
        return { type: 'closed', verdict: 'retry', problem: { kind: 'unreachable' } }
      case 'close':
        return closedWith(step.code, stageOf(state, this.clock))
      case 'status': {
        const { status, retryAfterMs } = step
        const { everConnected } = state.memory
        const verdict = statusVerdict(status, { everConnected, retryAfterMs }, undefined)
        return { type: 'closed', verdict, problem: { kind: 'status', status } }
      }
    }
  }
}

export const closedWith = (
  code: number,
  stage: Stage = 'open',
): WithoutMoment<EventOf<'closed'>> => ({
  type: 'closed',
  verdict: closeVerdict(code, '', undefined, stage),
  problem: { kind: 'closed', code, reason: '' },
})

const reconcile = <Work extends { readonly key: string }>(
  running: Map<string, Running>,
  wanted: readonly Work[],
  start: (work: Work, running: Running) => void,
): void => {
  const keys = new Set(wanted.map(({ key }) => key))
  if (keys.size < wanted.length) throw new Error('two pieces of work under one key')
  for (const [key, work] of running)
    if (!keys.has(key)) {
      work.stopped = true
      running.delete(key)
    }
  for (const work of wanted) {
    if (running.has(work.key)) continue
    const started: Running = { key: work.key, stopped: false }
    running.set(work.key, started)
    start(work, started)
  }
}

const isSame = (one: Grant, other: Grant | undefined): boolean =>
  one.kind === other?.kind &&
  (one.kind !== 'later' || (other.kind === 'later' && one.until === other.until))

/** mulberry32: small, seeded, good enough to draw delays. */
export const randomOf = (seed: number): (() => number) => {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), a | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
