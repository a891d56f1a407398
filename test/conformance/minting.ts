/** What the kit is told of a server of CONTRACT.md. */
import type { ConformanceOptions, TokenFunction } from '../../src/conformance/index.ts'
import type { TestServer } from '../support/servers.ts'

/** Long enough to be welcomed on a busy machine. */
const SHORT_MS = 3_000

/** `minted` collects what was handed out. */
export const optionsFor = (
  server: TestServer,
  path: string,
  minted: string[] = [],
): ConformanceOptions => ({
  url: `${server.wsUrl}${path}`,
  tokens: {
    a: mint(server, minted, { user: 'alice' }),
    b: mint(server, minted, { user: 'bob' }),
    expired: mint(server, minted, { user: 'alice', kind: 'expired' }),
    short: mint(server, minted, { user: 'alice', lifetimeMs: SHORT_MS }),
  },
  rooms: { forbidden: 'forbidden' },
  echoMethod: 'echo',
  expect: ['auth', 'call', 'history', 'join-in-url', 'presence'],
  roomsUpTo: 10_000,
  // Of a busy machine; a right server never makes the kit wait so long.
  timeoutMs: 10_000,
})

function mint(server: TestServer, minted: string[], body: object): TokenFunction {
  return async () => {
    const { access } = await server.control<{ access: string }>('mint', { kind: 'valid', ...body })
    minted.push(access)
    return access
  }
}
