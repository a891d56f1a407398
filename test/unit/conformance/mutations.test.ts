/** The honesty of the kit: a right server passes whole, and each bug is found by the check meant for it. */
import { describe, expect, it } from 'vitest'
import {
  type CheckResult,
  type ConformanceOptions,
  checkConformance,
} from '../../../src/conformance/index.ts'
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

/** Of a busy machine; a right server never makes the kit wait so long. */
const PATIENT = { timeoutMs: 30_000 }

describe.concurrent('a right server', () => {
  it.each(Object.keys(WAYS) as (keyof typeof WAYS)[])('passes whole, token by %s', async (by) => {
    const server = await startTinyServer()
    const options = { ...optionsFor(server.url, by), ...PATIENT, quietMs: 50 }
    const report = await checkConformance(options)
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

const AGAIN = 'const AGAIN_MS = 200'
const TOLD = 'if (waitMs > 0)\n'
const stand = (ms: number) => `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});`

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
      ...PATIENT,
      only: ['send.come-again', 'limits.in-flight'],
    })
    server.close()
    expect(report.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  })
})

it('a token that ends before it can be renewed proves nothing', async () => {
  const expiring = "if (endsInMs !== undefined) this.#reply(connection, { type: 'expiring'"
  const server = await brokenServer([
    ['const SHORT_MS = 600', 'const SHORT_MS = 20'],
    [expiring, `if (endsInMs !== undefined) { ${stand(40)} }\n    ${expiring}`],
  ])
  const options = { ...optionsFor(server.url, 'query'), ...PATIENT, only: ['auth.lives-on'] }
  const { checks, conforms } = await checkConformance(options)
  server.close()
  const detail = expect.stringContaining('give one that lives longer')
  expect(checks.find(({ id }) => id === 'auth.lives-on')).toMatchObject({
    outcome: 'not-checked',
    detail,
  })
  expect(conforms).toBe(true)
})

interface Patience {
  readonly timeoutMs: number
  readonly quietMs: number
}
/** Some bugs are a silence, which is waited out. */
const SHORT: Patience = { timeoutMs: 400, quietMs: 100 }
const LONG: Patience = { timeoutMs: 8_000, quietMs: 1_000 }

async function tried({ of, edits, by = 'query' }: Mutation, patience: Patience) {
  const server = await brokenServer(edits)
  const only = [of, ...(SHOWN_BY[of] ?? [])]
  const report = await checkConformance({ ...optionsFor(server.url, by), only, ...patience })
  server.close()
  return { report, found: report.checks.find(({ id }) => id === of) }
}

const isFound = (found: CheckResult | undefined, says: RegExp): boolean =>
  found?.outcome === 'failed' && says.test(found.detail ?? '')

describe.concurrent('a bug', () => {
  const name = ({ of, bug }: Mutation) => `${of}: ${bug}`

  it.each(MUTATIONS.map((mutation) => [name(mutation), mutation] as const))(
    '%s',
    async (_, mutation) => {
      const { says } = mutation
      let { report, found } = await tried(mutation, SHORT)
      // Where a busy machine had not come so far: what is found is found, however long that took.
      if (!isFound(found, says)) ({ report, found } = await tried(mutation, LONG))
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
