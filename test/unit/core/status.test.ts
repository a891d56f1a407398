import { describe, expect, it } from 'vitest'
import type { LinkState, Memory } from '../../../src/core/link-state.ts'
import type { Problem } from '../../../src/core/problem.ts'
import { type SessionView, type StatusView, statusOf } from '../../../src/core/status.ts'

const problem: Problem = { kind: 'closed', code: 4001, reason: '' }
const credential = { id: 1, receivedAt: 0 }
const memory = (parts: Partial<Memory> = {}): Memory => ({
  everConnected: false,
  failures: 0,
  dials: 0,
  downSince: 100,
  ...parts,
})
const links = {
  idle: { kind: 'idle', memory: memory() },
  authenticating: { kind: 'authenticating', memory: memory(), demand: { kind: 'plain' } },
  deferred: {
    kind: 'authenticating',
    memory: memory({ failures: 2 }),
    demand: { kind: 'plain' },
    deferred: { until: 5_000, problem },
  },
  connecting: { kind: 'connecting', memory: memory(), credential, since: 0 },
  connected: {
    kind: 'connected',
    memory: memory({ downSince: undefined }),
    credential,
    openedAt: 0,
    trust: 'open',
  },
  waiting: {
    kind: 'waiting',
    memory: memory({ failures: 3, downSince: 50 }),
    due: 7_000,
    notBefore: 0,
    problem,
    probe: 'none',
    credential,
  },
  advised: {
    kind: 'waiting',
    memory: memory({ failures: 1 }),
    due: 2_000,
    notBefore: 6_000,
    problem,
    probe: 'none',
    credential,
  },
  refused: { kind: 'refused', memory: memory(), problem },
  failed: { kind: 'failed', memory: memory(), problem, action: 'contact-server' },
} satisfies Record<string, LinkState>
type Name = keyof typeof links

const held: SessionView = { held: true }

/** When the user connected. */
const SINCE = 40

describe('the status of links', () => {
  it.each<[Name[], StatusView['state']]>([
    [['connected'], 'connected'],
    [['failed', 'waiting', 'connected'], 'connected'],
    [['connecting', 'waiting'], 'connecting'],
    [['failed', 'connecting'], 'connecting'],
    [['authenticating', 'waiting'], 'authenticating'],
    [['waiting', 'deferred'], 'waiting'],
    [['failed', 'waiting'], 'waiting'],
    [['failed', 'failed'], 'failed'],
    [['failed', 'refused'], 'failed'],
    [['refused', 'waiting'], 'waiting'],
    [['refused', 'refused'], 'connected'],
    // On its way: the verb has not reached it yet.
    [['refused', 'idle'], 'authenticating'],
    [[], 'connected'],
  ])('%j with a credential is %s', (names, state) => {
    expect(
      statusOf(
        names.map((name) => links[name]),
        SINCE,
        held,
      ).state,
    ).toBe(state)
  })

  it.each([[['connected']], [['failed']], [[]]] as [Name[]][])(
    '%j is idle where nobody wants to connect',
    (names) => {
      expect(
        statusOf(
          names.map((name) => links[name]),
          undefined,
          held,
        ).state,
      ).toBe('idle')
    },
  )

  it.each<[string, Name[], StatusView]>([
    [
      'the wait that ends first',
      ['waiting', 'deferred'],
      { state: 'waiting', retryAt: 5_000, attempt: 2, downSince: 100, problem },
    ],
    [
      'advice where it is later',
      ['advised', 'waiting'],
      { state: 'waiting', retryAt: 6_000, attempt: 1, downSince: 100, problem },
    ],
    [
      'the backoff where that is later',
      ['waiting'],
      { state: 'waiting', retryAt: 7_000, attempt: 3, downSince: 50, problem },
    ],
    ['who can mend it', ['failed'], { state: 'failed', problem, action: 'contact-server' }],
    [
      'the longest time down',
      ['connecting', 'waiting'],
      { state: 'connecting', everConnected: false, downSince: 50 },
    ],
  ])('tells %s', (_, names, status) => {
    expect(
      statusOf(
        names.map((name) => links[name]),
        SINCE,
        held,
      ),
    ).toEqual(status)
  })

  it('knows whether any link ever connected', () => {
    const before = { ...links.connecting, memory: memory({ everConnected: true }) }
    expect(statusOf([links.connecting, before], SINCE, held)).toMatchObject({ everConnected: true })
  })
})

describe('the status of a session', () => {
  it('that was refused is failed, except while a socket is kept', () => {
    const refused: SessionView = { held: false, refusal: problem }
    expect(statusOf([links.waiting], SINCE, refused)).toEqual({
      state: 'failed',
      problem,
      action: 'sign-in',
    })
    expect(statusOf([links.connected, links.failed], SINCE, refused).state).toBe('connected')
  })

  it('without links is what the credential is', () => {
    expect(statusOf([], SINCE, { held: false })).toEqual({
      state: 'authenticating',
      everConnected: false,
      downSince: SINCE,
    })
    const backingOff = { until: 9, attempt: 3, problem }
    expect(statusOf([], SINCE, { held: false, backingOff })).toEqual({
      state: 'waiting',
      retryAt: 9,
      attempt: 3,
      downSince: SINCE,
      problem,
    })
  })

  it('shows the expiry of a token where it is known', () => {
    expect(statusOf([links.connected], SINCE, { held: true, tokenExpiresAt: 42 })).toEqual({
      state: 'connected',
      tokenExpiresAt: 42,
    })
    expect(statusOf([links.connected], SINCE, held)).toEqual({ state: 'connected' })
  })
})
