/** The reference servers pass the kit whole, over every way that they take a token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CheckResult, checkConformance, formatReport } from '../../src/conformance/index.ts'
import { viaCookie, viaHeader, viaQuery, viaSubprotocol } from '../../src/index.ts'
import { SERVER_NAMES, type ServerName, startServer, type TestServer } from '../support/servers.ts'
import { optionsFor } from './minting.ts'

const NAMES: readonly ServerName[] =
  process.env['AUTHED_SOCKET_MATRIX'] === 'full'
    ? SERVER_NAMES
    : ['node', 'fastapi-websockets', 'channels-daphne']

/** What is worth another run where the token travels another way. */
const WAYS = {
  query: { transmission: viaQuery({ acceptLogging: true }), only: ['handshake'] },
  cookie: { transmission: viaCookie(), only: ['handshake.origin', 'handshake.bad-token'] },
  header: { transmission: viaHeader(), only: ['welcome.frame', 'handshake.bad-token'] },
  bearer: {
    transmission: viaSubprotocol('bearer'),
    only: ['handshake.bad-token', 'handshake.echo-only'],
  },
  'first message': { transmission: 'first-message', only: ['welcome', 'auth', 'send.ok'] },
} as const

describe.each(NAMES)('%s', (name) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer(name)
  })
  afterAll(() => server.stop())

  const isGood = ({ outcome }: CheckResult) => outcome === 'passed' || outcome === 'not-checked'
  const passed: string[] = []
  const open: string[] = []

  it('passes whole', async () => {
    const report = await checkConformance(optionsFor(server, '/ws/rooms'))
    expect(
      report.checks.filter((check) => !isGood(check)),
      formatReport(report),
    ).toEqual([])
    expect(report.conforms, formatReport(report)).toBe(true)
    for (const { id, outcome } of report.checks) (outcome === 'passed' ? passed : open).push(id)
  })

  it.each(Object.entries(WAYS))(
    'passes with the token by %s',
    async (_, { transmission, only }) => {
      const options = { ...optionsFor(server, '/ws/rooms'), transmission, only }
      const report = await checkConformance(options)
      expect(
        report.checks.filter((check) => !isGood(check)),
        formatReport(report),
      ).toEqual([])
      expect(report.conforms, formatReport(report)).toBe(true)
      for (const { id, outcome } of report.checks) if (outcome === 'passed') passed.push(id)
    },
  )

  it('has passed every check, in one run or another', () => {
    expect(passed.length).toBeGreaterThan(100)
    expect(open.filter((id) => !passed.includes(id))).toEqual([])
  })

  it('keeps the tokens of the kit out of its log', async () => {
    const token = await optionsFor(server, '').tokens.a()
    expect(server.output()).not.toContain(token.split('.')[0])
  })
})
