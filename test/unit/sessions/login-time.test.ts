/** A login ends: with an answer, or with the time that it has. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cookieSession, passwordGrant, simpleJwt } from '../../../src/index.ts'
import { rejection, serve } from './support.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }
const never = () => new Promise<never>(() => {})

afterEach(() => {
  vi.useRealTimers()
})

type Fetch = typeof globalThis.fetch

/** Bytes that come for ever, and never end. */
const slow = (signal: AbortSignal | null | undefined) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"access":"a"'))
        signal?.addEventListener('abort', () => controller.error(signal.reason))
      },
    }),
  )

const silences: Array<[string, Fetch]> = [
  [
    'no answer',
    (_input, init) => {
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    },
  ],
  ['a body without an end', async (_input, init) => slow(init?.signal)],
  ['a fetch that does not know signals', never],
  ['a body that does not know signals', async () => slow(undefined)],
]
const at = 'https://a.example/token'
const makers: Array<[string, (fetch: Fetch) => { login: ReturnType<typeof simpleJwt>['login'] }]> =
  [
    ['simpleJwt', (fetch) => simpleJwt({ obtain: at, refresh: at, fetch })],
    ['passwordGrant', (fetch) => passwordGrant({ url: at, fetch })],
    ['cookieSession', (fetch) => cookieSession({ login: at, fetch })],
    [
      'cookieSession, whose CSRF view is slow',
      (fetch) => cookieSession({ login: at, csrf: { url: 'https://a.example/csrf' }, fetch }),
    ],
  ]
const cases = makers.flatMap(([name, make]) =>
  silences.map(([silence, fetch]) => [name, silence, () => make(fetch)] as const),
)

describe('login()', () => {
  it.each(cases)('of %s gives up after 30 s: %s', async (_name, _silence, make) => {
    vi.useFakeTimers()
    const ended = vi.fn()
    const error = rejection(make().login(ALICE)).finally(ended)
    await vi.advanceTimersByTimeAsync(29_900)
    expect(ended).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(200)
    expect(await error).toMatchObject({
      code: 'TOKEN_UNAVAILABLE',
      message: expect.stringMatching(/in time/),
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has the time that it is given, and may be tried again', async () => {
    let isDown = true
    const { origin } = await serve(() => (isDown ? never() : { body: { access: 'a' } }))
    const session = simpleJwt({ obtain: origin, refresh: origin })
    await expect(session.login(ALICE, { timeoutMs: 20 })).rejects.toThrow(/in time/)
    expect(session.signedIn).toBe(false)
    isDown = false
    await session.login(ALICE, { timeoutMs: 5_000 })
    expect(session.signedIn).toBe(true)
  })

  it('as switch() leaves the old user signed in when the time is over', async () => {
    let isDown = false
    const { origin } = await serve(() => (isDown ? never() : { body: { access: 'a' } }))
    const session = simpleJwt({ obtain: origin, refresh: origin })
    await session.login(ALICE)
    isDown = true
    await expect(session.switch(ALICE, { timeoutMs: 20 })).rejects.toThrow(/in time/)
    expect(session.signedIn).toBe(true)
  })

  it('still ends with the reason of its signal, and leaves no timer', async () => {
    vi.useFakeTimers()
    const controller = new AbortController()
    const session = simpleJwt({ obtain: at, refresh: at, fetch: never })
    const error = rejection(session.login(ALICE, { signal: controller.signal }))
    controller.abort(new RangeError('enough'))
    expect(await error).toMatchObject({ message: 'enough' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([0, -1, Number.NaN, Infinity, '5'])('refuses timeoutMs %s', async (timeoutMs) => {
    const session = simpleJwt({ obtain: at, refresh: at, fetch: never })
    const login = session.login(ALICE, { timeoutMs: timeoutMs as number })
    await expect(login).rejects.toThrow(/login: timeoutMs/)
  })
})
