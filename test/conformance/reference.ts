/** A reference server passes the kit whole, over every way that it takes a token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ConformanceReport,
  checkConformance,
  formatReport,
} from '../../src/conformance/index.ts'
import { viaCookie, viaFirstMessage, viaHeader, viaQuery, viaSubprotocol } from '../../src/index.ts'
import { type ServerName, startServer, type TestServer } from '../support/servers.ts'
import { optionsFor } from './minting.ts'

/** daphne sends no code between 1000 and 3000, so 1002, which is a SHOULD, comes as 1000. */
const CANNOT: Readonly<Partial<Record<ServerName, readonly string[]>>> = {
  'channels-daphne': ['handshake.foreign-client'],
}

/** Sends a second, of which the kit makes more. The slower the machine, the fewer it must be to be too much. */
const TOO_MUCH = [100, 20, 4]

/** What is worth another run where the token travels another way. */
const WAYS = {
  query: { transmission: viaQuery({ acceptLogging: true }), only: ['handshake'] },
  cookie: { transmission: viaCookie(), only: ['handshake.origin', 'handshake.bad-token'] },
  header: { transmission: viaHeader(), only: ['welcome.frame', 'handshake.bad-token'] },
  bearer: {
    transmission: viaSubprotocol('bearer'),
    only: ['handshake.bad-token', 'handshake.echo-only'],
  },
  'first message': {
    transmission: viaFirstMessage('rooms'),
    only: ['welcome', 'auth', 'send.ok'],
  },
} as const

/** Of one kind in a file, so that files run side by side. @param names the first one stands for all, in a short run */
export const passesTheKit = (...names: readonly [ServerName, ...ServerName[]]): void => {
  const chosen = process.env['AUTHED_SOCKET_MATRIX'] === 'full' ? names : names.slice(0, 1)
  describe.each(chosen)('%s', judge)
}

function judge(name: ServerName): void {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer(name)
  })
  afterAll(() => server.stop())

  const minted: string[] = []
  const passed = new Set<string>(CANNOT[name])
  const notChecked: string[] = []

  const expectNothingFound = (report: ConformanceReport): void => {
    for (const { id, outcome } of report.checks)
      if (outcome === 'passed') passed.add(id)
      else if (outcome === 'not-checked') notChecked.push(id)
    const found = report.checks.filter(
      ({ id, outcome }) =>
        (outcome === 'failed' || outcome === 'not-offered') && !CANNOT[name]?.includes(id),
    )
    expect(
      found.map(({ id, detail }) => `${id}: ${detail}`),
      formatReport(report),
    ).toEqual([])
    expect(report.conforms).toBe(true)
  }

  it('passes whole', async () => {
    expectNothingFound(await checkConformance(optionsFor(server, '/ws/rooms', minted)))
    expect(passed.size).toBeGreaterThan(100)
  })

  it.each(Object.entries(WAYS))(
    'passes with the token by %s',
    async (_, { transmission, only }) => {
      const options = { ...optionsFor(server, '/ws/rooms', minted), transmission, only }
      expectNothingFound(await checkConformance(options))
    },
  )

  it('passes where a client says too much', async () => {
    const only = ['limits.in-flight', 'send.come-again']
    for (const sendsPerSecond of TOO_MUCH) {
      if (only.every((id) => passed.has(id))) break
      await server.control('settings', { sendsPerSecond })
      expectNothingFound(
        await checkConformance({ ...optionsFor(server, '/ws/rooms', minted), only }),
      )
    }
    await server.control('settings', { sendsPerSecond: null })
  })

  it('has passed every check, in one run or another', () => {
    expect(notChecked.filter((id) => !passed.has(id))).toEqual([])
  })

  it('has written no token of the kit into its log', () => {
    const log = server.output()
    expect(minted.length).toBeGreaterThan(100)
    expect(minted.filter((token) => log.includes(token))).toEqual([])
  })
}
