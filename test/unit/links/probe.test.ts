import { describe, expect, it, vi } from 'vitest'
import { AuthedSocket } from '../../../src/index.ts'
import { probeAnswer } from '../../../src/links/probe.ts'
import { type AuthedSocketOptions, resolveOptions } from '../../../src/options.ts'
import { plain } from '../../../src/protocols/plain.ts'
import { viaQuery } from '../../../src/transmissions/via-query.ts'
import { type Reply, rejection, serve } from '../sessions/support.ts'

const TOKEN = 'canary-token'
const MANUAL = { headers: { location: '/login/?next=/whoami' } }

const asking = async (given: Partial<AuthedSocketOptions>) => {
  const warnings: string[] = []
  const options = resolveOptions({
    url: 'ws://127.0.0.1:9/ws',
    auth: () => TOKEN,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    logger: { debug: () => {}, warn: (text) => warnings.push(text) },
    ...given,
  })
  const { id } = await options.holder.credential()
  const ask = () => probeAnswer(options, id, {}, new AbortController().signal)
  return { warnings, ask }
}

/** @param at what the endpoint at `/whoami` answers; all else is 404 */
const endpoint = async (at: Reply) => {
  const server = await serve(({ path }) => (path.startsWith('/whoami') ? at : { status: 404 }))
  return { ...server, ws: `${server.origin.replace('http', 'ws')}/ws?room=secret-room` }
}

describe('a probe by URL', () => {
  it.each<[string, Reply, string]>([
    ['200', { status: 200 }, 'accepted'],
    ['204', { status: 204 }, 'accepted'],
    ['401', { status: 401 }, 'refused'],
    // What a framework answers to whoever may not come in, signed in or not.
    ['403', { status: 403 }, 'refused'],
  ])('that answers %s knows of the token, and warns of nothing', async (_, reply, found) => {
    const { ws } = await endpoint(reply)
    const { ask, warnings } = await asking({ url: ws, probe: '/whoami' })
    expect([await ask(), warnings]).toEqual([found, []])
  })

  it.each<[string, Reply]>([
    ['405', { status: 405 }],
    ['404', { status: 404 }],
    ['400', { status: 400 }],
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['503', { status: 503, body: '<h1>Service Unavailable</h1>' }],
    ['a redirect to the sign-in page', { status: 302, ...MANUAL }],
    ['a redirect to the slash', { status: 301, ...MANUAL }],
  ])(
    'that answers %s has not said that the host is gone, and is told of once',
    async (_, reply) => {
      const { ws, received, origin } = await endpoint(reply)
      const { ask, warnings } = await asking({ url: ws, probe: '/whoami?key=secret-key' })
      expect([await ask(), await ask()]).toEqual(['answers', 'answers'])
      expect(received.map(({ path }) => path)).toEqual(Array(2).fill('/whoami?key=secret-key'))
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain(`${origin}/whoami `)
      expect(warnings[0]).toMatch(new RegExp(`${reply.status}|redirect`))
      expect(warnings[0]).toMatch(/2xx.*401/)
      expect(warnings[0]).not.toMatch(/canary|secret/)
    },
  )

  it('to a host that does not answer has', async () => {
    const { ask, warnings } = await asking({ probe: '/whoami' })
    expect([await ask(), warnings]).toEqual(['gone', []])
  })

  it.each([
    ['on an origin that is not listed', 'https://other.example/whoami'],
    ['that is not encrypted', 'http://other.example/whoami'],
  ])('%s asks for nothing but the host, and is told of', async (_, probe) => {
    const { ws, received } = await endpoint({ status: 200 })
    const { ask, warnings } = await asking({ url: ws, probe })
    expect([await ask(), await ask()]).toEqual(['answers', 'answers'])
    expect(received.map(({ method, headers }) => [method, headers.authorization])).toEqual(
      Array(2).fill(['HEAD', undefined]),
    )
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^probe: /)
  })
})

describe('a probe by a function', () => {
  it.each([
    ['accepted', 'accepted'],
    ['refused', 'refused'],
    ['unreachable', 'gone'],
  ] as const)('that finds %s', async (found, answer) => {
    const { ask, warnings } = await asking({ probe: async () => found })
    expect([await ask(), warnings]).toEqual([answer, []])
  })

  it('that throws could not reach the host', async () => {
    const { ask, warnings } = await asking({ probe: () => Promise.reject(new TypeError(TOKEN)) })
    expect([await ask(), warnings]).toEqual(['gone', []])
  })

  it.each([true, undefined, 'ok', TOKEN])('that finds %j is told of once', async (found) => {
    // Wrong on purpose.
    const { ask, warnings } = await asking({ probe: (async () => found) as () => Promise<never> })
    expect([await ask(), await ask()]).toEqual(['answers', 'answers'])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/probe.*accepted.*refused.*unreachable/)
    expect(warnings[0]).not.toContain(TOKEN)
  })
})

it('a page that does not see the status learns from a wrong probe that its host answers', async () => {
  const { ws, origin } = await endpoint({ status: 405 })
  const warn = vi.fn()
  const { WebSocket } = await import('undici')
  const socket = new AuthedSocket({
    url: ws,
    auth: () => TOKEN,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    probe: '/whoami',
    WebSocket,
    retry: { scale: 0.01 },
    logger: { debug: () => {}, warn },
  })
  const connecting = rejection(socket.connect())
  await vi.waitFor(() => {
    const { error } = socket.status as { error?: Error }
    expect(error?.message).toContain('the host answers')
  })
  expect(warn.mock.calls.map(([text]) => text)).toEqual([
    expect.stringContaining(`${origin}/whoami answered 405`),
  ])
  await socket.disconnect()
  await connecting
})
