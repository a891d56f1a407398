/**
 * A crowd of clients on a virtual clock, each a session and a socket by the machines' own transitions. They know nothing of
 * each other, so they are lived one after another, and a million take no more memory than one.
 */
import type { Credential } from '../../src/core/credential.ts'
import {
  transition as credentialTransition,
  workOf as credentialWork,
} from '../../src/core/credential-machine.ts'
import {
  type CredentialEvent,
  type CredentialState,
  type CredentialWork,
  initialCredentialState,
} from '../../src/core/credential-state.ts'
import { HOST_EVERY_MS } from '../../src/core/delays.ts'
import { mayDoubt } from '../../src/core/doubt.ts'
import { grantOf, isSameGrant } from '../../src/core/grant.ts'
import { standingOf, transition } from '../../src/core/link-machine.ts'
import {
  initialLinkState,
  type LinkEvent,
  type LinkLimits,
  type LinkState,
  type LinkWork,
} from '../../src/core/link-state.ts'
import { workOf } from '../../src/core/link-work.ts'
import type { Grant } from '../../src/core/standing.ts'
import { Inquiry } from '../../src/sessions/inquiry.ts'
import {
  CREDENTIAL_LIMITS,
  closedWith,
  LATENCY_MS,
  LINK_LIMITS,
  randomOf,
  type WithoutMoment,
} from './simulator.ts'

/** What one client meets. Times are ms of virtual time. */
export interface Life {
  readonly connectsAt: number
  readonly endsAt: number
  /** What becomes of a dial: nobody listens, or it opens, and is closed then. */
  dial(
    at: number,
    tokenDiesAt: number,
  ): 'refused' | { readonly closesAt?: number; readonly code?: number }
  readonly tokenLifeMs?: number
  isEndpointUp?(at: number): boolean
  readonly link?: Partial<LinkLimits>
}

export type Load = 'dials' | 'probes' | 'requests'

/** How much of each came in each bin of 100 ms, after `fromMs`. */
export class Bins {
  readonly #bins: Readonly<Record<Load, Uint32Array>>
  readonly #fromMs: number

  constructor(fromMs: number, untilMs: number) {
    const size = Math.ceil((untilMs - fromMs) / BIN_MS) + 1
    const [dials, probes, requests] = [1, 2, 3].map(() => new Uint32Array(size))
    if (!dials || !probes || !requests) throw new Error('three loads')
    this.#bins = { dials, probes, requests }
    this.#fromMs = fromMs
  }

  count(load: Load, at: number): void {
    const bin = Math.floor((at - this.#fromMs) / BIN_MS)
    const bins = this.#bins[load]
    if (bin >= 0) bins[bin] = (bins[bin] ?? 0) + 1
  }

  total(...loads: Load[]): number {
    return this.#sum(loads).reduce((sum, n) => sum + n, 0)
  }

  largest(...loads: Load[]): number {
    return this.#sum(loads).reduce((most, n) => Math.max(most, n), 0)
  }

  #sum(loads: readonly Load[]): Float64Array {
    const sums = new Float64Array(this.#bins.dials.length)
    for (const load of loads)
      for (const [bin, n] of this.#bins[load].entries()) sums[bin] = (sums[bin] ?? 0) + n
    return sums
  }
}

const BIN_MS = 100

type Happening =
  | { readonly at: number; readonly key: string; readonly link: WithoutMoment<LinkEvent> }
  | { readonly at: number; readonly key: string; readonly session: WithoutMoment<CredentialEvent> }
  | { readonly at: number; readonly key: string; readonly probe: number }

class Client {
  #now: number
  #link: LinkState = initialLinkState
  #session: CredentialState = initialCredentialState
  #linkWork: readonly LinkWork[] = []
  #sessionWork: readonly CredentialWork[] = []
  #granted: Grant | undefined
  #happenings: Happening[] = []
  #tokens = 0
  readonly #inquiry = new Inquiry<'answers' | 'gone'>()
  readonly #life: Life
  readonly #limits: LinkLimits
  readonly #random: () => number
  readonly #bins: Bins

  constructor(life: Life, seed: number, bins: Bins) {
    this.#life = life
    this.#limits = { ...LINK_LIMITS, ...life.link }
    this.#random = randomOf(seed)
    this.#bins = bins
    this.#now = life.connectsAt
  }

  live(): void {
    this.#stepLink({ type: 'connect' })
    for (let next = this.#next(); next && next.at <= this.#life.endsAt; next = this.#next()) {
      this.#now = Math.max(this.#now, next.at)
      next.run()
    }
  }

  /** The earliest of what the machines wait for, and of what the world does. */
  #next(): { at: number; run: () => void } | undefined {
    let first: { at: number; run: () => void } | undefined
    const offer = (at: number, run: () => void) => {
      if (first === undefined || at < first.at) first = { at, run }
    }
    for (const work of this.#linkWork)
      if (work.kind === 'timer') offer(work.at, () => this.#stepLink({ type: work.event }))
    for (const work of this.#sessionWork)
      if (work.kind === 'timer') offer(work.at, () => this.#stepSession({ type: work.event }))
    for (const happening of this.#happenings)
      offer(happening.at, () => {
        this.#happenings = this.#happenings.filter((other) => other !== happening)
        this.#happen(happening)
      })
    return first
  }

  /** What was stopped meanwhile is heard by nobody. */
  #happen(happening: Happening): void {
    const works: readonly { key: string }[] =
      'session' in happening ? this.#sessionWork : this.#linkWork
    if (!works.some(({ key }) => key === happening.key)) return
    if ('link' in happening) this.#stepLink(happening.link)
    else if ('session' in happening) this.#stepSession(happening.session)
    else this.#probe(happening.key)
  }

  #stepLink(event: WithoutMoment<LinkEvent>): void {
    const moment = { at: this.#now, roll: this.#random() }
    const next = transition(this.#link, { ...event, ...moment } as LinkEvent, this.#limits)
    if (next === this.#link) return
    this.#link = next
    const before = this.#linkWork
    this.#linkWork = workOf(next, this.#limits)
    for (const work of this.#linkWork)
      if (!before.some(({ key }) => key === work.key)) this.#start(work)
    this.#granted = undefined
    this.#stepSession({ type: 'link', id: 1, standing: standingOf(next) })
  }

  #stepSession(event: WithoutMoment<CredentialEvent>): void {
    const moment = { at: this.#now, roll: this.#random() }
    const whole = { ...event, ...moment } as CredentialEvent
    const next = credentialTransition(this.#session, whole, CREDENTIAL_LIMITS)
    if (next === this.#session) return
    this.#session = next
    const before = this.#sessionWork
    this.#sessionWork = credentialWork(next, CREDENTIAL_LIMITS)
    for (const work of this.#sessionWork)
      if (work.kind === 'request' && !before.some(({ key }) => key === work.key)) this.#ask(work)
    const grant = grantOf(next, 1)
    if (grant === undefined || isSameGrant(grant, this.#granted)) return
    this.#granted = grant
    this.#stepLink({ type: 'granted', grant })
  }

  #start(work: LinkWork): void {
    const { key } = work
    const later = (ms: number, link: WithoutMoment<LinkEvent>) =>
      this.#happenings.push({ at: this.#now + ms, key, link })
    if (work.kind === 'offer') later(2 * LATENCY_MS, { type: 'renewed' })
    // A moment later: then the session has heard that this link waits.
    if (work.kind === 'probe') this.#happenings.push({ at: this.#now, key, probe: work.credential })
    if (work.kind !== 'socket') return
    this.#bins.count('dials', this.#now)
    const { receivedAt, lifetimeMs = Number.POSITIVE_INFINITY } = work.credential
    const fate = this.#life.dial(this.#now, receivedAt + lifetimeMs)
    if (fate === 'refused')
      return void later(1, { type: 'closed', verdict: 'retry', problem: { kind: 'unreachable' } })
    later(2 * LATENCY_MS, { type: 'opened' })
    if (this.#limits.greets) later(2 * LATENCY_MS + 5, { type: 'greeted', renewable: true })
    const { closesAt, code = 1006 } = fate
    if (closesAt !== undefined) later(closesAt - this.#now, closedWith(code))
  }

  #ask({ key }: Extract<CredentialWork, { kind: 'request' }>): void {
    this.#bins.count('requests', this.#now)
    const at = this.#now + 2 * LATENCY_MS
    const { tokenLifeMs, isEndpointUp = () => true } = this.#life
    const credential: Credential = {
      id: ++this.#tokens,
      receivedAt: at,
      ...(tokenLifeMs !== undefined && { lifetimeMs: tokenLifeMs }),
    }
    const problem = { kind: 'token-unavailable', cause: undefined } as const
    const session: WithoutMoment<CredentialEvent> = isEndpointUp(this.#now)
      ? { type: 'answered', credential }
      : { type: 'unavailable', problem }
    this.#happenings.push({ at, key, session })
  }

  #probe(key: string): void {
    const { suspectSince = 0, failures, everConnected } = this.#link.memory
    const forMs = this.#now - suspectSince
    const answer = this.#inquiry.ask(
      'host',
      [suspectSince, this.#now],
      HOST_EVERY_MS,
      () =>
        (failures === 1 && !everConnected) ||
        mayDoubt(this.#session, { forMs, at: this.#now }, CREDENTIAL_LIMITS),
      () => {
        this.#bins.count('probes', this.#now)
        return this.#life.dial(this.#now, 0) === 'refused' ? 'gone' : 'answers'
      },
    )
    const at = this.#now + 2 * LATENCY_MS
    if (answer) this.#happenings.push({ at, key, link: { type: 'probed', probe: answer } })
  }
}

/** Lives `clients` lives. The same seed gives the same lives. */
export const liveAll = (
  clients: number,
  seed: number,
  bins: Bins,
  lifeOf: (roll: number) => Life,
): void => {
  const random = randomOf(seed)
  for (let n = 0; n < clients; n++)
    new Client(lifeOf(random()), Math.floor(random() * 2 ** 32), bins).live()
}
