/** What is tried next. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Facts, Outcome, ProbeName } from '../../../src/doctor/facts.ts'
import { nextProbe } from '../../../src/doctor/plan.ts'
import { wayNames } from '../../../src/doctor/ways.ts'
import { answers, closes, cut, factsOf, fails, flawed, opens } from './facts.ts'

const asgi403 = answers(403, { mark: 'asgi-closed' })
const ways = wayNames(['subprotocol', 'header', 'cookie', 'query'], 'node')

/** Everything that is tried while each probe comes to what `see` says. */
function tried(
  see: (probe: ProbeName) => Outcome,
  given: Parameters<typeof factsOf>[1] = {},
): ProbeName[] {
  const trials = new Map<ProbeName, Outcome>()
  const facts: Facts = { ...factsOf({}, { ...given, facts: { ways, ...given.facts } }), trials }
  for (let probe = nextProbe(facts); probe; probe = nextProbe(facts)) trials.set(probe, see(probe))
  return [...trials.keys()]
}

const always = (outcome: Outcome) => () => outcome

describe('the plan', () => {
  it('dials as configured first', () => {
    expect(tried(always(opens))[0]).toBe('base')
  })

  it('asks only whether anything checks the token where all is well', () => {
    expect(tried(always(opens))).toEqual(['base', 'fake-token'])
  })

  it('tries nothing more where no dial can tell more', () => {
    for (const outcome of [fails('lookup', 'not-found'), fails('connect', 'refused')])
      expect(tried(always(outcome))).toEqual(['base'])
    expect(tried(always(fails('tls', 'certificate')))).toEqual(['base'])
  })

  it('dials nowhere when there is nothing to dial with, or a browser would not', () => {
    const trouble = { cause: 'no-token', detail: '' } as const
    expect(tried(always(opens), { facts: { trouble } })).toEqual([])
    expect(tried(always(opens), { target: { page: 'https', loopback: false } })).toEqual([])
  })

  it('tries every place for a refused token, the URL last', () => {
    const places = tried(always(asgi403)).filter((probe) => probe.startsWith('way:'))
    expect(places).toEqual(ways.map((way) => `way:${way}`))
    expect(places.at(-1)).toContain('query')
  })

  it('tries no place that the user has not allowed', () => {
    const probes = tried(always(asgi403), { facts: { ways: [] } })
    expect(probes.filter((probe) => probe.includes('way:'))).toEqual([])
  })

  it('tries no other place where the server reads this one', () => {
    const probes = tried((probe) => (probe === 'fake-token' ? answers(401) : asgi403))
    expect(probes.filter((probe) => probe.startsWith('way:'))).toEqual([])
  })

  it('tries no other place for a token that has expired', () => {
    const expiresAt = factsOf({}).at - 60_000
    const probes = tried(always(asgi403), { token: { expiresAt } })
    expect(probes.filter((probe) => probe.startsWith('way:'))).toEqual([])
  })

  it('tries no other place where the path is not there', () => {
    const probes = tried(always(answers(404)))
    expect(probes.filter((probe) => probe.startsWith('way:'))).toEqual([])
  })

  it('stops at the first change that works, after the same dial has failed again', () => {
    const probes = tried((probe) => (probe === 'other-slash' ? opens : answers(404)))
    expect(probes.at(-1)).toBe('again')
    expect(probes).not.toContain('fake-token')
  })

  it('believes no other place before a made-up token failed there', () => {
    const first = ways[0] as (typeof ways)[number]
    const probes = tried((probe) => (probe === `way:${first}` ? opens : asgi403))
    expect(probes.slice(-3)).toEqual([`way:${first}`, `fake-way:${first}`, 'again'])
  })

  it('goes on where a made-up token does as well', () => {
    const first = ways[0] as (typeof ways)[number]
    const probes = tried((probe) => (probe.endsWith(`way:${first}`) ? opens : asgi403))
    expect(probes).toContain(`way:${ways.at(-1)}`)
  })

  it('tries a silent socket again, then with pings', () => {
    expect(tried(always(cut(60_000)))).toEqual(['base', 'root', 'fake-token', 'again', 'pinged'])
  })

  it('tries other schemes, and no subprotocols, where nothing answers the upgrade', () => {
    const probes = tried(always(fails('answer', 'timeout')), { target: { offered: 2 } })
    expect(probes).toEqual(expect.arrayContaining(['other-scheme', 'no-protocols', 'get', 'root']))
  })

  it('varies the Origin in Node only', () => {
    expect(tried(always(asgi403))).toContain('own-origin')
    expect(tried(always(asgi403), { target: { origin: 'other' } })).toContain('no-origin')
    const inBrowser = tried(always({ kind: 'blind' }), { facts: { sight: 'browser' } })
    expect(inBrowser.filter((probe) => probe.endsWith('origin'))).toEqual([])
  })

  it('comes to an end whatever is seen', () => {
    const outcomes: Outcome[] = [
      ...[opens, closes(4003), closes(1011), cut(2_000), flawed('not-echoed'), asgi403],
      ...[answers(404), answers(500), fails('answer', 'timeout'), fails('answer', 'dropped')],
      { kind: 'blind' },
    ]
    fc.assert(
      fc.property(fc.infiniteStream(fc.constantFrom(...outcomes)), (stream) => {
        const probes = tried(() => stream.next().value)
        expect(probes.length).toBeLessThan(60)
        expect(new Set(probes).size).toBe(probes.length)
      }),
    )
  })
})
