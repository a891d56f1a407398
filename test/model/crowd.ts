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
  type CredentialLimits,
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
import type { Bins } from './bins.ts'
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
  /** `retry.scale`. */
  readonly scale?: number
}

type Happening =
  | { readonly at: number; readonly key: string; readonly link: WithoutMoment<LinkEvent> }
  | { readonly at: number; readonly key: string; readonly session: WithoutMoment<CredentialEvent> }
  | { readonly at: number; readonly key: string; readonly probe: number }

const OPENED = { type: 'opened' } as const
const GREETED = { type: 'greeted', renewable: true } as const
const RENEWED = { type: 'renewed' } as const
const REFUSED = { type: 'closed', verdict: 'retry', problem: { kind: 'unreachable' } } as const

type TimerOf<Work> = Extract<Work, { readonly kind: 'timer' }>

/** Of equals the first. They are a handful: a loop is faster than order kept. */
const earliestTimer = <Work extends LinkWork | CredentialWork>(
  works: readonly Work[],
): TimerOf<Work> | undefined => {
  let first: TimerOf<Work> | undefined
  for (const work of works)
    if (isTimer(work) && (first === undefined || work.at < first.at)) first = work
  return first
}

const isTimer = <Work extends LinkWork | CredentialWork>(work: Work): work is TimerOf<Work> =>
  work.kind === 'timer'

const earliest = (happenings: readonly Happening[]): Happening | undefined => {
  let first: Happening | undefined
  for (const happening of happenings)
    if (first === undefined || happening.at < first.at) first = happening
  return first
}

const timeOf = (thing: { readonly at: number } | undefined): number => thing?.at ?? Infinity

const has = (works: readonly { readonly key: string }[], key: string): boolean => {
  for (const work of works) if (work.key === key) return true
  return false
}

class Client {
  #now: number
  #link: LinkState = initialLinkState
  #session: CredentialState = initialCredentialState
  #linkWork: readonly LinkWork[] = []
  #sessionWork: readonly CredentialWork[] = []
  #granted: Grant | undefined
  readonly #happenings: Happening[] = []
  #tokens = 0
  readonly #inquiry = new Inquiry<'answers' | 'gone'>()
  readonly #life: Life
  readonly #limits: LinkLimits
  readonly #sessionLimits: CredentialLimits
  readonly #random: () => number
  readonly #bins: Bins

  constructor(life: Life, seed: number, bins: Bins) {
    this.#life = life
    const { scale = 1 } = life
    this.#limits = { ...LINK_LIMITS, ...life.link, scale }
    this.#sessionLimits = { ...CREDENTIAL_LIMITS, scale }
    this.#random = randomOf(seed)
    this.#bins = bins
    this.#now = life.connectsAt
  }

  live(): void {
    this.#stepLink({ type: 'connect', at: this.#now, roll: this.#random() })
    while (this.#goOn()) {}
  }

  /** The earliest of what the machines wait for, and of what the world does. False: nothing more comes in this life. */
  #goOn(): boolean {
    const ofLink = earliestTimer(this.#linkWork)
    const ofSession = earliestTimer(this.#sessionWork)
    const happening = earliest(this.#happenings)
    const first = Math.min(timeOf(ofLink), timeOf(ofSession), timeOf(happening))
    if (first > this.#life.endsAt) return false
    if (this.#now < first) this.#now = first
    const at = this.#now
    if (ofLink?.at === first) this.#stepLink({ type: ofLink.event, at, roll: this.#random() })
    else if (ofSession?.at === first)
      this.#stepSession({ type: ofSession.event, at, roll: this.#random() })
    else if (happening) {
      this.#happenings.splice(this.#happenings.indexOf(happening), 1)
      this.#happen(happening)
    }
    return true
  }

  /** What was stopped meanwhile is heard by nobody. */
  #happen(happening: Happening): void {
    const { key } = happening
    if (!has('session' in happening ? this.#sessionWork : this.#linkWork, key)) return
    if ('probe' in happening) return void this.#probe(key)
    const moment = { at: this.#now, roll: this.#random() }
    if ('link' in happening) this.#stepLink({ ...happening.link, ...moment })
    else this.#stepSession({ ...happening.session, ...moment })
  }

  #stepLink(event: LinkEvent): void {
    const next = transition(this.#link, event, this.#limits)
    if (next === this.#link) return
    this.#link = next
    const before = this.#linkWork
    this.#linkWork = workOf(next, this.#limits)
    for (const work of this.#linkWork)
      if (work.kind !== 'timer' && !has(before, work.key)) this.#start(work)
    this.#granted = undefined
    const standing = standingOf(next)
    this.#stepSession({ type: 'link', id: 1, standing, at: this.#now, roll: this.#random() })
  }

  #stepSession(event: CredentialEvent): void {
    const next = credentialTransition(this.#session, event, this.#sessionLimits)
    if (next === this.#session) return
    this.#session = next
    const before = this.#sessionWork
    this.#sessionWork = credentialWork(next, this.#sessionLimits)
    for (const work of this.#sessionWork)
      if (work.kind === 'request' && !has(before, work.key)) this.#ask(work)
    const grant = grantOf(next, 1)
    if (grant === undefined || isSameGrant(grant, this.#granted)) return
    this.#granted = grant
    this.#stepLink({ type: 'granted', grant, at: this.#now, roll: this.#random() })
  }

  #start(work: LinkWork): void {
    const { key } = work
    if (work.kind === 'offer') this.#later(key, 2 * LATENCY_MS, RENEWED)
    // A moment later: then the session has heard that this link waits.
    if (work.kind === 'probe') this.#happenings.push({ at: this.#now, key, probe: work.credential })
    if (work.kind === 'socket') this.#dial(key, work.credential)
  }

  #dial(key: string, { receivedAt, lifetimeMs = Number.POSITIVE_INFINITY }: Credential): void {
    this.#bins.count('dials', this.#now)
    const fate = this.#life.dial(this.#now, receivedAt + lifetimeMs)
    if (fate === 'refused') return void this.#later(key, 1, REFUSED)
    this.#later(key, 2 * LATENCY_MS, OPENED)
    if (this.#limits.greets) this.#later(key, 2 * LATENCY_MS + 5, GREETED)
    const { closesAt, code = 1006 } = fate
    if (closesAt !== undefined) this.#later(key, closesAt - this.#now, closedWith(code))
  }

  #later(key: string, ms: number, link: WithoutMoment<LinkEvent>): void {
    this.#happenings.push({ at: this.#now + ms, key, link })
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
      HOST_EVERY_MS * this.#limits.scale,
      () =>
        (failures === 1 && !everConnected) ||
        mayDoubt(this.#session, { forMs, at: this.#now }, this.#sessionLimits),
      () => {
        this.#bins.count('probes', this.#now)
        return this.#life.dial(this.#now, 0) === 'refused' ? 'gone' : 'answers'
      },
    )
    if (answer) this.#later(key, 2 * LATENCY_MS, { type: 'probed', probe: answer })
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
