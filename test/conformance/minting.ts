/** What the kit is told of a server of CONTRACT.md. */
import type { ConformanceOptions, TokenFunction } from '../../src/conformance/index.ts'
import type { TestServer } from '../support/servers.ts'

/** Long enough to be welcomed on a busy machine. */
const SHORT_MS = 3_000

const mint =
  (server: TestServer, body: object): TokenFunction =>
  async () =>
    (await server.control<{ access: string }>('mint', { kind: 'valid', ...body })).access

export const optionsFor = (server: TestServer, path: string): ConformanceOptions => ({
  url: `${server.wsUrl}${path}`,
  tokens: {
    a: mint(server, { user: 'alice' }),
    b: mint(server, { user: 'bob' }),
    expired: mint(server, { user: 'alice', kind: 'expired' }),
    short: mint(server, { user: 'alice', lifetimeMs: SHORT_MS }),
  },
  rooms: { forbidden: 'forbidden' },
  echoMethod: 'echo',
  expect: ['auth', 'call', 'history', 'join-in-url', 'presence'],
  roomsUpTo: 10_000,
  // Of a busy machine; a right server never makes the kit wait so long.
  timeoutMs: 10_000,
})
