/** A body is read up to 1 MiB, whoever reads it and whatever `fetch` brought it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cookieSession, passwordGrant, refreshGrant, simpleJwt } from '../../../src/index.ts'
import { readBody } from '../../../src/sessions/body.ts'
import { rejection } from './support.ts'

const MIB = 2 ** 20
const closers: Array<() => void> = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Far more than anybody should take; finite, so that a reader without a bound fails instead of filling the machine. */
const FLOOD = 64 * MIB

/** Sends as long as somebody takes it; counts what was taken, and tells when the reader has left. */
const endless = async (status: number) => {
  const sent = { bytes: 0, left: 0 }
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json' })
    response.on('close', () => {
      sent.left++
    })
    const pour = () => {
      while (!response.writableEnded && !response.destroyed) {
        sent.bytes += chunk.length
        if (sent.bytes > FLOOD) response.end()
        else if (!response.write(chunk)) break
      }
    }
    response.on('drain', pour)
    pour()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has an address of this kind.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, sent }
}

const ALICE = { username: 'alice', password: 'correct-horse' }

describe('an endless answer', () => {
  const askers: Array<[string, (url: string) => Promise<unknown>]> = [
    ['simpleJwt.login', (url) => simpleJwt({ obtain: url, refresh: url }).login(ALICE)],
    ['passwordGrant.login', (url) => passwordGrant({ url }).login(ALICE)],
    ['cookieSession.login', (url) => cookieSession({ login: url }).login(ALICE)],
    ['refreshGrant.restore', (url) => refreshGrant({ url, refreshToken: 'r' }).restore()],
  ]
  it.each(
    askers.flatMap(([name, ask]) => [200, 401, 500].map((status) => [name, status, ask] as const)),
  )('of %s (%i) is cut', async (_name, status, ask) => {
    const { url, sent } = await endless(status)
    const error = await rejection(ask(url))
    expect(error).toMatchObject({
      code: 'TOKEN_UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`POST ${url} answered ${status} .*1 MiB`)),
    })
    await vi.waitFor(() => expect(sent.left).toBe(1))
    // What is in the buffers of two kernels comes on top.
    expect(sent.bytes).toBeLessThan(FLOOD / 2)
  })

  it('to a revocation ends it', async () => {
    const { url, sent } = await endless(200)
    const fetch: typeof globalThis.fetch = async (input, init) =>
      `${input}` === url
        ? globalThis.fetch(input, init)
        : Response.json({ access: 'a', refresh: 'r' })
    const at = 'https://a.example/'
    const session = simpleJwt({ obtain: at, refresh: at, revoke: url, fetch })
    await session.login(ALICE)
    await session.logout()
    await vi.waitFor(() => expect(sent.left).toBe(1))
  })

  it('with 401 to session.fetch is left where the request is made once more', async () => {
    const { url, sent } = await endless(401)
    let asked = 0
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (new URL(`${input}`).pathname === '/refresh')
        return Response.json({ access: `a${++asked}`, refresh: 'r' })
      return asked > 1 ? Response.json('in') : globalThis.fetch(url, init)
    }
    const at = 'https://a.example/refresh'
    const session = simpleJwt({ obtain: at, refresh: at, fetch })
    await session.login(ALICE)
    expect(await (await session.fetch('https://a.example/whoami')).json()).toBe('in')
    await vi.waitFor(() => expect(sent.left).toBe(1))
  })
})

describe('readBody', () => {
  const text = 'ä€𝄞'.repeat(1_000)
  // What is no Response in every runtime: React Native has no `body`, node-fetch one of Node's streams.
  const like = (parts: object) => parts as Response
  const fits: Array<[string, () => Response, string]> = [
    ['a stream', () => new Response(text), text],
    ['a stream with a byte order mark', () => new Response(`\uFEFF${text}`), text],
    ['no body', () => new Response(null, { status: 204 }), ''],
    ['exactly 1 MiB', () => new Response('x'.repeat(MIB)), 'x'.repeat(MIB)],
    ['text alone', () => like({ headers: new Headers(), text: async () => text }), text],
    [
      'a null body',
      () => like({ body: null, headers: new Headers(), text: async () => text }),
      text,
    ],
    ['no headers either', () => like({ text: async () => text }), text],
    [
      'a stream of Node, cut within characters',
      () => like({ body: Readable.from([...Buffer.from(text)].map((byte) => Buffer.of(byte))) }),
      text,
    ],
  ]
  it.each(fits)('takes %s', async (_name, make, expected) => {
    expect(await readBody(make())).toBe(expected)
  })

  const large = 'x'.repeat(MIB + 1)
  const tooLarge: Array<[string, () => Response]> = [
    ['a stream', () => new Response(large)],
    ['characters of three bytes', () => new Response('€'.repeat(MIB / 2))],
    ['text alone', () => like({ text: async () => large })],
    [
      'text alone that says its length',
      () =>
        like({
          headers: new Headers({ 'content-length': `${MIB + 1}` }),
          text: async () => 'cut',
        }),
    ],
    ['a stream of Node', () => like({ body: Readable.from([Buffer.from(large)]) })],
    [
      'a stream that cannot be cancelled',
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              for (let i = 0; i < 4; i++) controller.enqueue(new Uint8Array(MIB))
              controller.close()
            },
            cancel: () => new Promise(() => {}),
          }),
        ),
    ],
  ]
  it.each(tooLarge)('gives up %s beyond 1 MiB', async (_name, make) => {
    expect(await readBody(make())).toBeUndefined()
  })

  it('tells of a stream that breaks', async () => {
    const broken = new ReadableStream({
      pull() {
        throw new Error('reset')
      },
    })
    await expect(readBody(new Response(broken))).rejects.toThrow('reset')
  })
})

it('a body that a fetch of the user has no cancel for is left alone', async () => {
  let asked = 0
  const fetch = (async (input: URL) => {
    if (input.pathname === '/refresh') return Response.json({ access: `a${++asked}`, refresh: 'r' })
    return asked > 1
      ? Response.json('in')
      : { status: 401, headers: new Headers(), body: Readable.from(['no']) }
  }) as unknown as typeof globalThis.fetch
  const at = 'https://a.example/refresh'
  const session = simpleJwt({ obtain: at, refresh: at, fetch })
  await session.login(ALICE)
  expect(await (await session.fetch('https://a.example/whoami')).json()).toBe('in')
})
