/** The honesty of the kit: a right server passes whole, and each bug is found by the check meant for it. */
import { describe, expect, it } from 'vitest'
import { type ConformanceOptions, checkConformance } from '../../../src/conformance/index.ts'
import { CHECKS, RULES } from '../../../src/conformance/suite.ts'
import { viaCookie, viaFirstMessage, viaQuery, viaSubprotocol } from '../../../src/index.ts'
import { brokenServer } from './broken-server.ts'
import { MUTATIONS, type Mutation } from './mutations.ts'
import { startTinyServer } from './tiny-server.ts'

const WAYS = {
  query: viaQuery({ acceptLogging: true }),
  pair: viaSubprotocol(),
  cookie: viaCookie(),
  'first-message': viaFirstMessage('rooms'),
} as const

const optionsFor = (url: string, by: keyof typeof WAYS): ConformanceOptions => ({
  url,
  transmission: WAYS[by],
  tokens: {
    a: () => 'token-of.alice',
    b: () => 'token-of.bob',
    expired: () => 'token-of.alice.expired',
    short: () => 'token-of.alice.short',
  },
  rooms: { forbidden: 'forbidden' },
  echoMethod: 'echo',
})

/** What has to run for a rule that holds at all times to be broken. */
const SHOWN_BY: Readonly<Record<string, readonly string[]>> = {
  'frames.valid': ['ping.pong', 'call.unknown'],
  'frames.no-token': ['auth.refused'],
  'order.welcome-first': ['ping.pong'],
  'order.contiguous': ['send.many'],
  'order.members-only': ['order.leave'],
  'requests.one-answer': ['leave.ok'],
  'presence.only-asked': ['presence.members'],
  'presence.versions': ['presence.joins'],
}

describe('a right server', () => {
  it.each(Object.keys(WAYS) as (keyof typeof WAYS)[])('passes whole, token by %s', async (by) => {
    const server = await startTinyServer()
    const report = await checkConformance({ ...optionsFor(server.url, by), quietMs: 50 })
    server.close()
    const rest = report.checks.filter(({ outcome }) => outcome !== 'passed')
    const ways = [
      by === 'query' ? '' : 'handshake.two-tokens',
      by === 'cookie' ? '' : 'handshake.origin',
    ]
    expect(rest.map(({ id, detail }) => [id, detail])).toEqual(
      ways
        .filter(Boolean)
        .map((id) => [id, expect.stringContaining('only where the token travels')]),
    )
    expect(report.conforms).toBe(true)
  })
})

const AGAIN = 'const AGAIN_MS = 30'
const TOLD = 'if (waitMs > 0)\n'
const stand = (ms: number) => `const until = Date.now() + ${ms}; while (Date.now() < until);`

describe('a right server that is slow', () => {
  it.each([
    ['between two answers that tell the same end', 200, `if (n === 24) { ${stand(150)} }`],
    ['until the pause is over', 7, `if (n === 24) { ${stand(15)} }`],
    ['until a long pause is over', 100, `if (n === 24) { ${stand(150)} }`],
    ['at each answer', 7, `if (waitMs > 0) { ${stand(2)} }`],
  ])('%s is not accused of what it did right', async (_, againMs, slow) => {
    const edits = [
      [AGAIN, `const AGAIN_MS = ${againMs}`],
      [TOLD, `${slow}\n    ${TOLD}`],
    ] as const
    const server = await brokenServer(edits)
    const report = await checkConformance({
      ...optionsFor(server.url, 'query'),
      only: ['send.come-again', 'limits.in-flight'],
    })
    server.close()
    expect(report.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  })
})

describe.concurrent('a bug', () => {
  const name = ({ of, bug }: Mutation) => `${of}: ${bug}`

  it.each(MUTATIONS.map((mutation) => [name(mutation), mutation] as const))(
    '%s',
    async (_, mutation) => {
      const { of, edits, by = 'query', says } = mutation
      const server = await brokenServer(edits)
      const report = await checkConformance({
        ...optionsFor(server.url, by),
        only: [of, ...(SHOWN_BY[of] ?? [])],
        timeoutMs: 400,
        quietMs: 100,
      })
      server.close()
      const found = report.checks.find(({ id }) => id === of)
      expect(found).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(says) })
      expect(report.conforms).toBe(found?.level === 'should')
      expect(JSON.stringify(report)).not.toContain('token-of')
    },
  )

  it('is there for every check', () => {
    const meant = new Set(MUTATIONS.map(({ of }) => of))
    const ids = [...CHECKS, ...RULES].map(({ id }) => id)
    expect(ids.filter((id) => !meant.has(id))).toEqual([])
    expect([...meant].filter((id) => !ids.includes(id))).toEqual([])
  })
})
