/** Every step that a machine can make has words, or none, and never half of them. */
import { describe, expect, it } from 'vitest'
import {
  initialLinkState,
  type LinkEvent,
  type LinkLimits,
  type LinkMachine,
} from '../../../src/core/link-state.ts'
import { swappingMachine } from '../../../src/core/link-swap.ts'
import { describeLink } from '../../../src/diary/describe-link.ts'
import { describeSession } from '../../../src/diary/describe-session.ts'
import { momentOf, problemWords, spanOf } from '../../../src/diary/words.ts'
import {
  credentialLimits,
  linkLimits,
  linkTransition,
  walkCredential,
  walked,
  walkLink,
} from '../../model/walk.ts'

const HALF = /undefined|null|NaN|Infinity|\[object|: $|; $|^;/

describe.each([
  ['rooms of their own', linkLimits()],
  ['a server that greets', linkLimits({ greets: true, ownsRoom: false })],
  [
    'a second socket',
    linkLimits({ greets: true, ownsRoom: false, renewal: { kind: 'swap' } }),
    swappingMachine,
  ],
] as [string, LinkLimits, LinkMachine?][])('a socket, with %s', (_, limits, machine) => {
  const { moves } = walked(walkLink(limits, machine))
  const said = moves.map(({ from, event, to }) =>
    describeLink([event, from.state, to.state], 'wss://host/ws'),
  )

  it('says whole sentences of every step', () => {
    expect(moves.length).toBeGreaterThan(1_000)
    expect(said.filter((line) => line !== undefined && HALF.test(line))).toEqual([])
  })

  it('is silent of the dial only, which is told by its URL', () => {
    const silent = moves.filter((_, index) => said[index] === undefined)
    expect(new Set(silent.map(({ to }) => to.state.kind))).toEqual(new Set(['connecting']))
  })

  it('says when a second socket is dialed, and when it takes over', () => {
    const count = (words: string) => said.filter((line) => line?.includes(words)).length
    const isTold = machine === swappingMachine
    expect(count('dials a second socket') > 0).toBe(isTold)
    expect(count('the second socket takes over') > 0).toBe(isTold)
    expect(count('second socket: ') > 0).toBe(isTold)
    expect(count('no second socket: ') > 0).toBe(isTold)
  })

  it('says the time of the next dial whenever it is moved', () => {
    const wrong = moves.filter(({ from, to }, index) => {
      if (to.state.kind !== 'waiting') return false
      const end = Math.max(to.state.due, to.state.notBefore)
      if (from.state.kind === 'waiting' && Math.max(from.state.due, from.state.notBefore) === end)
        return false
      return !said[index]?.includes(momentOf(end))
    })
    expect(wrong).toEqual([])
  })

  it('says who can mend a failure', () => {
    const failures = moves.filter(
      ({ from, to }) => to.state.kind === 'failed' && from.state.kind !== 'failed',
    )
    const wrong = failures.filter(({ from, event, to }) => {
      const line = describeLink([event, from.state, to.state], 'wss://host/ws')
      return to.state.kind !== 'failed' || !line?.includes(`failed, ${to.state.action}: `)
    })
    expect(failures.length).toBeGreaterThan(10)
    expect(wrong).toEqual([])
  })
})

describe.each([
  ['renews', credentialLimits()],
  ['cannot renew', credentialLimits({ canRenew: false, canAsk: false })],
])('a session whose source %s', (_, limits) => {
  const { moves } = walked(walkCredential(limits, [1]))
  const lineOf = ({ from, event, to }: (typeof moves)[number]) =>
    describeSession([event, from.state, to.state])

  it('says whole sentences', () => {
    expect(moves.length).toBeGreaterThan(1_000)
    const half = moves.map(lineOf).filter((line) => line !== undefined && HALF.test(line))
    expect(half).toEqual([])
  })

  it.each<[string, (move: (typeof moves)[number]) => boolean, RegExp]>([
    [
      'every request',
      ({ from, to }) => to.state.wire !== undefined && to.state.wire.id !== from.state.wire?.id,
      /asks for a token: /,
    ],
    [
      'every end',
      ({ from, to }) => to.state.phase.kind === 'refused' && from.state.phase.kind !== 'refused',
      /the session is over, sign in: /,
    ],
    ['every token that came', ({ event }) => event.type === 'answered', /token received/],
  ])('tells of %s, and of nothing else so', (_, isSo, words) => {
    const wrong = moves.filter((move) => isSo(move) !== words.test(lineOf(move) ?? ''))
    expect(wrong.map((move) => [move.event.type, lineOf(move)])).toEqual([])
  })
})

it("a renewal in-band is told from the wish to the server's yes", () => {
  const limits = linkLimits({ renewal: 'in-band' })
  const credential = (id: number) => ({ id, receivedAt: id * 1_000, lifetimeMs: 60_000 })
  const happens: LinkEvent[] = [
    { type: 'connect' },
    { type: 'granted', grant: { kind: 'go', credential: credential(1) } },
    { type: 'opened' },
    { type: 'greeted', renewable: true },
    { type: 'renew' },
    { type: 'granted', grant: { kind: 'renew', credential: credential(2) } },
    { type: 'renewed' },
  ].map((event) => ({ ...event, at: 1_000, roll: 0 }) as LinkEvent)
  let state = initialLinkState
  const told = happens.map((event) => {
    const before = state
    state = linkTransition(before, event, limits)
    return describeLink([event, before, state], undefined)
  })
  expect(told.slice(3)).toEqual([
    'accepted: the server greeted; to be renewed at 1970-01-01T00:00:55.000Z, ahead of its end at 1970-01-01T00:01:01.000Z',
    'the token nears its end; wants a younger token for the open socket',
    'tells the server the younger token',
    'renewed in-band: the server took the younger token; to be renewed at 1970-01-01T00:00:56.000Z, ahead of its end at 1970-01-01T00:01:02.000Z',
  ])
})

describe('words', () => {
  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1_000, '1 s'],
    [90_000, '1.5 min'],
    [5_400_000, '1.5 h'],
    [10 * 365 * 86_400_000, '3650 d'],
  ])('say a span of %d ms as %s', (ms, words) => {
    expect(spanOf(ms)).toBe(words)
  })

  it('survive a moment that no date can hold', () => {
    expect([momentOf(Number.POSITIVE_INFINITY), momentOf(9e15)]).toEqual(
      Array(2).fill('no known time'),
    )
    expect(momentOf(8.64e15)).toMatch(/^\+275760/)
  })

  it("hold no text of the user's errors, nor of the server", () => {
    const cause = new Error('a-secret')
    const told = [
      problemWords({ kind: 'token-unavailable', cause }),
      problemWords({ kind: 'token-refused', cause }),
      problemWords({ kind: 'rejected', last: { kind: 'closed', code: 4003, reason: 'a-secret' } }),
    ]
    expect(told.join()).not.toContain('a-secret')
    expect(told[0]).toContain('(Error)')
  })
})
