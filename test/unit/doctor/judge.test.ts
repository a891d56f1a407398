/** The table of rules: what was seen, and what it is called. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CauseName } from '../../../src/doctor/causes.ts'
import type { Facts, Outcome, ProbeName } from '../../../src/doctor/facts.ts'
import { judge } from '../../../src/doctor/judge.ts'
import { solutionOf, works } from '../../../src/doctor/queries.ts'
import { causeNames } from '../../../src/doctor/words/index.ts'
import { answers, blind, closes, cut, factsOf, fails, flawed, NOW, opens } from './facts.ts'

type Row = readonly [title: string, facts: Facts, cause: CauseName, ...orElse: CauseName[]]

const asgi403 = answers(403, { mark: 'asgi-closed' })
const asking: Outcome = { kind: 'open', asks: 'home-assistant' }
const hour = 3_600_000

const rows: readonly Row[] = [
  ['it opens and stays open', factsOf({ base: opens }), 'healthy'],
  [
    'a page on https and a socket on ws',
    factsOf({}, { target: { page: 'https', loopback: false } }),
    'mixed-content',
  ],
  [
    'a page on https and ws to this machine',
    factsOf({ base: opens }, { target: { page: 'https' } }),
    'healthy',
  ],
  [
    'nothing could be dialed',
    factsOf({}, { facts: { trouble: { cause: 'no-token', detail: 'signed out' } } }),
    'no-token',
  ],
  [
    'the browser’s policy forbids it',
    factsOf({ base: { kind: 'forbidden', by: 'csp' } }),
    'blocked-by-csp',
  ],
  // The way to the server.
  ['no address', factsOf({ base: fails('lookup', 'not-found') }), 'dns'],
  ['a name server that does not answer', factsOf({ base: fails('lookup', 'timeout') }), 'dns'],
  ['no listener', factsOf({ base: fails('connect', 'refused') }), 'port-refused'],
  ['packets are dropped', factsOf({ base: fails('connect', 'timeout') }), 'host-unreachable'],
  ['a bad certificate', factsOf({ base: fails('tls', 'certificate') }), 'tls-certificate'],
  [
    'plain HTTP on a wss port',
    factsOf({ base: fails('tls', 'tls'), 'other-scheme': answers(404) }),
    'tls-to-plain-port',
  ],
  [
    'TLS that fails on a port which answers plain text that it wants TLS',
    factsOf({ base: fails('tls', 'tls'), 'other-scheme': answers(400, { mark: 'tls-port' }) }),
    'tls-failed',
  ],
  [
    'TLS on a ws port',
    factsOf({
      base: fails('answer', 'dropped'),
      'other-scheme': fails('tls', 'certificate'),
    }),
    'plain-to-tls-port',
  ],
  ['a banner of SSH', factsOf({ base: fails('answer', 'not-http') }), 'not-http'],
  [
    'silence, and GETs are answered',
    factsOf({ base: fails('answer', 'timeout'), get: answers(404) }),
    'never-accepted',
  ],
  [
    'silence with an offer, an answer without one',
    factsOf({ base: fails('answer', 'timeout'), get: answers(404), 'no-protocols': asgi403 }),
    'never-accepted',
    'subprotocol-not-offered',
  ],
  ['silence to everything', factsOf({ base: fails('answer', 'timeout') }), 'no-answer'],
  [
    'silence to long tokens only',
    factsOf({
      base: fails('answer', 'timeout'),
      'long-token': fails('answer', 'timeout'),
      'fake-token': asgi403,
      get: answers(404),
    }),
    'header-too-large',
  ],
  [
    'daphne drops it after its 5 s',
    factsOf({
      base: fails('answer', 'dropped', { afterMs: 4_600 }),
      root: answers(404, { server: 'daphne' }),
    }),
    'never-accepted',
    'subprotocol-not-offered',
  ],
  [
    'uvicorn drops it at once: no single cause',
    factsOf({ base: fails('answer', 'dropped'), root: answers(404, { server: 'uvicorn' }) }),
    'unknown',
    'subprotocol-not-offered',
    'exception-before-accept',
  ],
  ['somebody drops it', factsOf({ base: fails('answer', 'dropped') }), 'dropped'],
  // One change that works.
  [
    'the other slash opens',
    factsOf({ base: answers(404), 'other-slash': opens, again: answers(404) }),
    'wrong-slash',
  ],
  [
    'the other slash opens, and then so does the configured one',
    factsOf({ base: answers(404), 'other-slash': opens, again: opens }),
    'came-back',
  ],
  [
    'the other slash opens once, and not twice',
    factsOf({ base: answers(404), 'other-slash': opens, confirm: answers(404) }),
    'unknown',
  ],
  [
    'the other slash opens, and the configured one every other time',
    factsOf({ base: answers(404), 'other-slash': opens, again: answers(404), 'again:2': opens }),
    'came-back',
  ],
  ['the own Origin opens', factsOf({ base: asgi403, 'own-origin': opens }), 'origin-refused'],
  ['no Origin opens', factsOf({ base: asgi403, 'no-origin': opens }), 'origin-refused'],
  ['a bare token opens', factsOf({ base: asgi403, 'bare-token': opens }), 'token-wrapped'],
  ['another room opens', factsOf({ base: asgi403, 'other-room': opens }), 'room-refused'],
  [
    'the query opens, and not with a made-up token',
    factsOf({ base: asgi403, 'way:query:token': opens, 'fake-way:query:token': asgi403 }),
    'token-elsewhere',
  ],
  [
    'the query opens with any token',
    factsOf({
      base: asgi403,
      'unknown-path': answers(500),
      'way:query:token': opens,
      'fake-way:query:token': opens,
    }),
    'close-before-accept',
  ],
  [
    'a near path refuses as a socket does, this one as nothing does',
    factsOf({ base: answers(500), 'unknown-path': answers(500), 'near:/api/ws': asgi403 }),
    'wrong-path',
  ],
  [
    'the other slash refuses as a socket does, this one as nothing does',
    factsOf({ base: answers(500), 'unknown-path': answers(500), 'other-slash': asgi403 }),
    'wrong-slash',
  ],
  [
    'a redirect to the other slash',
    factsOf({ base: answers(301, { leads: 'other-slash' }) }),
    'wrong-slash',
  ],
  [
    'a redirect of everything to another host',
    factsOf({
      base: answers(302, { leads: 'other-host' }),
      root: answers(302, { leads: 'other-host' }),
      'unknown-path': answers(302, { leads: 'other-host' }),
    }),
    'captive-portal',
    'redirect',
  ],
  [
    'the same behind TLS, where no stranger can answer',
    factsOf(
      {
        base: answers(302, { leads: 'other-host' }),
        root: answers(302, { leads: 'other-host' }),
        'unknown-path': answers(302, { leads: 'other-host' }),
      },
      { target: { secure: true } },
    ),
    'redirect',
  ],
  // The token.
  [
    'a long token gets another answer than a short one',
    factsOf({ base: answers(400), 'long-token': answers(400), 'fake-token': asgi403 }),
    'header-too-large',
  ],
  [
    '403 for a long token and 400 for a short one: it was read',
    factsOf({ base: asgi403, 'long-token': asgi403, 'fake-token': answers(400) }),
    'close-before-accept',
  ],
  [
    'expired by the clock of the server',
    factsOf({ base: answers(403, { skewMs: 0 }) }, { token: { expiresAt: NOW - hour } }),
    'token-expired',
  ],
  [
    'expired by our clock, and that of the server is not known',
    factsOf({ base: asgi403 }, { token: { expiresAt: NOW - hour } }),
    'token-expired',
    'wrong-clock',
  ],
  [
    'expired, and refused by a page of a proxy',
    factsOf(
      { base: answers(403, { html: true, skewMs: 0 }), 'unknown-path': answers(404) },
      { token: { expiresAt: NOW - hour } },
    ),
    'handshake-refused',
  ],
  [
    'expired by our clock only',
    factsOf(
      { base: asgi403, root: answers(404, { skewMs: 2 * hour }), 'unknown-path': answers(500) },
      { token: { expiresAt: NOW - hour, issuedAt: NOW - 3 * hour } },
    ),
    'close-before-accept',
  ],
  [
    'expired by the clock of the server only',
    factsOf({ base: answers(401, { skewMs: -2 * hour }) }, { token: { expiresAt: NOW + hour } }),
    'wrong-clock',
  ],
  [
    'not valid yet',
    factsOf({ base: answers(401, { skewMs: 0 }) }, { token: { notBefore: NOW + 60_000 } }),
    'wrong-clock',
  ],
  [
    'issued in the future',
    factsOf({ base: answers(401, { skewMs: 0 }) }, { token: { issuedAt: NOW + 60_000 } }),
    'wrong-clock',
    'token-refused',
    'close-before-accept',
  ],
  [
    'a refresh token',
    factsOf({ base: closes(4003) }, { token: { isRefresh: true } }),
    'refresh-token-sent',
  ],
  [
    'a refresh token that opens',
    factsOf({ base: opens }, { token: { isRefresh: true } }),
    'healthy',
  ],
  // After the accept.
  ['no echo', factsOf({ base: flawed('not-echoed') }), 'subprotocol-not-echoed'],
  ['a foreign echo', factsOf({ base: flawed('stranger') }), 'subprotocol-not-offered'],
  ['an echo of the token', factsOf({ base: flawed('token-echoed') }), 'token-echoed'],
  ['another key', factsOf({ base: flawed('accept-key') }), 'broken-upgrade'],
  ['no welcome', factsOf({ base: flawed('no-welcome') }), 'no-welcome', 'first-frame-awaited'],
  [
    'no answer to the first frame',
    factsOf({ base: flawed('no-welcome') }, { token: { carried: 'frame' } }),
    'no-welcome',
  ],
  ['a frame asks for the token', factsOf({ base: asking }), 'first-frame-awaited'],
  [
    'a frame asks for the token, and gets it',
    factsOf({ base: asking }, { token: { carried: 'frame' } }),
    'healthy',
  ],
  ['no pong', factsOf({ base: flawed('no-pong') }), 'no-pong'],
  ['a frame refuses the token', factsOf({ base: flawed('refused-in-frame') }), 'token-refused'],
  [
    'a frame refuses a token that has expired',
    factsOf(
      { base: { ...flawed('refused-in-frame'), skewMs: 0 } },
      { token: { carried: 'frame', expiresAt: NOW - hour } },
    ),
    'token-expired',
  ],
  [
    'closed with 4401, like every token',
    factsOf({ base: closes(4401), 'fake-token': closes(4401) }),
    'token-refused',
  ],
  [
    'closed with 1008, like every token',
    factsOf({ base: closes(1008), 'fake-token': closes(1008) }),
    'token-refused',
    'room-refused',
  ],
  [
    'closed with 4001 after 5 s, as who waits for a first frame',
    factsOf({ base: closes(4001, 5_000) }),
    'token-refused',
    'first-frame-awaited',
  ],
  [
    'closed with 4001 after 5 s, like every token',
    factsOf({ base: closes(4001, 5_000), 'fake-token': closes(4001, 5_100) }),
    'first-frame-awaited',
    'token-refused',
  ],
  [
    'closed with 4001 after 5 s, and a made-up token at once',
    factsOf({ base: closes(4001, 5_000), 'fake-token': closes(4001, 20) }),
    'token-refused',
    'first-frame-awaited',
  ],
  [
    'closed with 4001 after 5 s, although a frame was sent',
    factsOf(
      { base: closes(4001, 5_000), 'fake-token': closes(4001, 5_100) },
      { token: { carried: 'frame' } },
    ),
    'token-refused',
    'token-elsewhere',
  ],
  ['closed with 4403', factsOf({ base: closes(4403) }), 'room-refused', 'token-refused'],
  ['closed with 1012', factsOf({ base: closes(1012) }), 'server-restarting'],
  [
    '1011 from a server that can say everything',
    factsOf({ base: closes(1011), root: answers(404, { server: 'uvicorn' }) }),
    'exception-after-accept',
  ],
  [
    '1011 from daphne, for every token',
    factsOf({
      base: closes(1011, 900),
      root: answers(404, { server: 'daphne' }),
      'fake-token': closes(1011, 800),
    }),
    'exception-after-accept',
    'token-refused',
  ],
  [
    '1011 from a daphne that takes its time',
    factsOf({
      base: closes(1011, 2_000),
      root: answers(404, { server: 'daphne' }),
      'fake-token': closes(1011, 900),
    }),
    'exception-after-accept',
    'token-refused',
  ],
  [
    'closed politely when silent, twice, and not when pinged',
    factsOf({ base: closes(1000, 30_000), again: closes(1000, 30_000), pinged: opens }),
    'idle-cut',
  ],
  ['cut at once', factsOf({ base: cut(5) }), 'exception-after-accept', 'cut-while-open'],
  ['a code of its own', factsOf({ base: closes(4290) }), 'closed-after-accept'],
  [
    'cut when silent, twice, and not when pinged',
    factsOf({ base: cut(60_000), again: cut(60_010), pinged: opens }),
    'idle-cut',
  ],
  [
    'cut when silent, once',
    factsOf({ base: cut(60_000), again: opens, pinged: opens }),
    'unknown',
    'idle-cut',
    'cut-while-open',
  ],
  [
    'cut whatever is said',
    factsOf({ base: cut(60_000), again: cut(60_000), pinged: cut(60_000) }),
    'cut-while-open',
    'exception-after-accept',
  ],
  [
    'cut half a second after the accept, pinged or not: no single cause',
    factsOf({ base: cut(500), again: cut(500), pinged: cut(500) }),
    'unknown',
    'exception-after-accept',
    'cut-while-open',
    'idle-cut',
  ],
  // HTTP in place of a socket.
  ['511', factsOf({ base: answers(511, { mark: 'portal' }) }), 'captive-portal'],
  [
    'words of a portal on this path only',
    factsOf({ base: answers(200, { mark: 'portal', html: true }), root: answers(200) }),
    'web-page',
    'wrong-path',
    'upgrade-lost',
  ],
  ['a password prompt', factsOf({ base: answers(401, { asks: 'basic' }) }), 'proxy-login'],
  ['502', factsOf({ base: answers(502) }), 'bad-gateway'],
  ['429', factsOf({ base: answers(429) }), 'rate-limited'],
  [
    'a WSGI server, as to a GET',
    factsOf({ base: answers(404, { server: 'WSGIServer' }), get: answers(404) }),
    'no-websocket-support',
  ],
  ['426 as to a GET', factsOf({ base: answers(426), get: answers(426) }), 'upgrade-lost'],
  ['426 to the upgrade alone', factsOf({ base: answers(426), get: opens }), 'handshake-refused'],
  [
    'a framework’s page, as to a GET',
    factsOf({ base: answers(404, { mark: 'page' }), get: answers(404, { mark: 'page' }) }),
    'upgrade-lost',
  ],
  [
    '404, as to a GET',
    factsOf({ base: answers(404), get: answers(404) }),
    'wrong-path',
    'upgrade-lost',
  ],
  ['404 to the upgrade alone', factsOf({ base: answers(404), get: answers(200) }), 'wrong-path'],
  [
    '500, elsewhere another status',
    factsOf({ base: answers(500), 'unknown-path': asgi403 }),
    'exception-before-accept',
  ],
  [
    '500 everywhere',
    factsOf({ base: answers(500), 'unknown-path': answers(500), 'fake-token': answers(500) }),
    'exception-before-accept',
    'wrong-path',
  ],
  [
    '500 everywhere, but not to another token here',
    factsOf({ base: answers(500), 'unknown-path': answers(500), 'fake-token': asgi403 }),
    'exception-before-accept',
  ],
  [
    'closed before the accept, elsewhere another status',
    factsOf({ base: asgi403, 'unknown-path': answers(500) }),
    'close-before-accept',
  ],
  [
    'closed before the accept, everywhere',
    factsOf({ base: asgi403, 'unknown-path': asgi403, 'fake-token': asgi403 }),
    'close-before-accept',
    'wrong-path',
    'origin-refused',
  ],
  [
    'closed before the accept, everywhere, but not with another token here',
    factsOf({ base: asgi403, 'unknown-path': asgi403, 'fake-token': answers(401) }),
    'close-before-accept',
  ],
  [
    'closed before the accept, and then too many dials to tell more',
    factsOf({ base: asgi403, 'unknown-path': answers(429), 'fake-token': answers(429) }),
    'close-before-accept',
    'wrong-path',
    'origin-refused',
  ],
  [
    '400 for a long token, and then too many dials to tell more',
    factsOf({ base: answers(400), 'long-token': answers(400), 'fake-token': answers(429) }),
    'handshake-refused',
    'wrong-path',
    'origin-refused',
  ],
  ['a certificate is wanted', factsOf({ base: fails('answer', 'tls') }), 'tls-failed'],
  [
    '403 of who knows whom',
    factsOf({ base: answers(403, { bytes: 9 }), 'unknown-path': answers(404) }),
    'handshake-refused',
  ],
  ['401', factsOf({ base: answers(401), 'unknown-path': answers(404) }), 'token-refused'],
  // A browser.
  [
    'blind, and the host is silent',
    factsOf({ base: blind, root: { kind: 'silent' } }),
    'unknown',
    'host-unreachable',
    'port-refused',
    'dns',
    'tls-certificate',
  ],
  [
    'blind, silent, and offline',
    factsOf({ base: blind, root: { kind: 'silent' } }, { facts: { offline: true } }),
    'offline',
  ],
  [
    'blind, and it opens without an offer',
    factsOf({ base: blind, root: { kind: 'opaque' }, 'no-protocols': closes(4003) }),
    'subprotocol-not-echoed',
    'subprotocol-not-offered',
    'token-refused',
  ],
  [
    'blind with an expired token',
    factsOf({ base: blind, root: { kind: 'opaque' } }, { token: { expiresAt: NOW - hour } }),
    'token-expired',
    'wrong-clock',
  ],
  // Several sockets.
  [
    'two groups that do not hear each other',
    factsOf({ base: opens, crowd: { kind: 'crowd', sockets: 4, groups: 2, ended: 0 } }),
    'workers-not-shared',
  ],
  [
    'nobody hears anybody',
    factsOf({ base: opens, crowd: { kind: 'crowd', sockets: 4, groups: 4, ended: 0 } }),
    'no-broadcast',
    'workers-not-shared',
  ],
  [
    'some hear some',
    factsOf({ base: opens, crowd: { kind: 'crowd', sockets: 4, ended: 0 } }),
    'unknown',
    'workers-not-shared',
  ],
  [
    'what they said ended them',
    factsOf({ base: opens, crowd: { kind: 'crowd', sockets: 4, groups: 4, ended: 4 } }),
    'unknown',
    'workers-not-shared',
  ],
  [
    'one socket a user',
    factsOf({ base: opens, crowd: { kind: 'crowd', sockets: 1, groups: 1, ended: 0 } }),
    'healthy',
  ],
]

const cases = rows.map(([title, facts, cause, ...orElse]) => ({ title, facts, cause, orElse }))

describe('judge', () => {
  it.each(cases)('$title', ({ facts, cause, orElse }) => {
    expect(judge(facts)).toMatchObject({ cause, orElse })
  })

  it.each(cases)('is sure only where nothing else fits: $title', ({ facts, cause, orElse }) => {
    const sure = cause === 'unknown' ? 'none' : orElse.length > 0 ? 'likely' : 'certain'
    expect(judge(facts).confidence).toBe(sure)
  })

  it('has a row for each cause', () => {
    const told = new Set(rows.map(([, , cause]) => cause))
    const noDial: CauseName[] = ['token-cannot-travel', 'insecure-url']
    expect(causeNames().filter((cause) => !told.has(cause) && !noDial.includes(cause))).toEqual([])
  })
})

const outcomes: readonly Outcome[] = [
  ...[opens, closes(4003), closes(1011), cut(10), cut(2_000), blind],
  ...[flawed('not-echoed'), flawed('no-pong'), fails('answer', 'timeout')],
  ...[asgi403, answers(403), answers(404), answers(426), answers(500), answers(502)],
  answers(404, { mark: 'page' }),
]
const probes: readonly ProbeName[] = [
  ...([
    'base',
    'again',
    'pinged',
    'fake-token',
    'long-token',
    'other-slash',
    'other-room',
  ] as const),
  ...(['unknown-path', 'own-origin', 'no-protocols', 'get', 'root', 'near:/api/ws'] as const),
  ...(['way:query:token', 'fake-way:query:token'] as const),
]
const anything = fc.record(
  Object.fromEntries(probes.map((probe) => [probe, fc.constantFrom(...outcomes)])),
  { requiredKeys: ['base'] },
)

describe('whatever was seen', () => {
  it('one cause is named, and a change that works is never overlooked', () => {
    fc.assert(
      fc.property(anything, (trials) => {
        const facts = factsOf(trials)
        const { cause } = judge(facts)
        if (works(facts.trials.get('base'))) expect(cause).toBe('healthy')
        else if (solutionOf(facts) !== undefined)
          expect([
            ...['wrong-slash', 'origin-refused', 'room-refused', 'token-elsewhere'],
            ...['wrong-path', 'came-back', 'header-too-large', 'never-accepted', 'no-answer'],
            'unknown',
          ]).toContain(cause)
        else expect(cause).not.toBe('healthy')
      }),
    )
  })
})
