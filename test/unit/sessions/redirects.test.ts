/** Redirects are not followed, and named, by what each runtime shows of them; Workers know no `redirect: 'error'`. */
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { TokenUnavailableError } from '../../../src/errors.ts'
import { cookieSession } from '../../../src/sessions/cookie-session.ts'
import { fixedToken } from '../../../src/sessions/fixed-token.ts'
import { passwordGrant } from '../../../src/sessions/password-grant.ts'
import { simpleJwt } from '../../../src/sessions/simple-jwt.ts'
import { jwt, type Reply, rejection, serve } from './support.ts'

type Fetch = typeof globalThis.fetch

/** As workerd 2026-11-17 words it. */
const workers: Fetch = async (input, init) => {
  if (init?.redirect === 'error') throw new TypeError('Invalid redirect value')
  return fetch(input, init)
}

const checkCache = (init: RequestInit | undefined) => {
  if (init?.cache !== undefined)
    throw new TypeError("The 'cache' field on 'RequestInitializerDict' is not implemented.")
}

/** With the compatibility date 2024-09-01. */
const oldWorkers: Fetch = async (input, init) => {
  checkCache(init)
  return workers(input, init)
}

class OldRequest extends Request {
  constructor(...given: ConstructorParameters<typeof Request>) {
    checkCache(given[1])
    super(...given)
  }
}

/** A page sees neither the status of a redirect nor where it leads. */
const page: Fetch = async (input, init) => {
  const response = await fetch(input, init)
  if (init?.redirect !== 'manual' || response.status < 300 || response.status > 399) return response
  await response.body?.cancel()
  return Object.defineProperties(Response.error(), {
    type: { value: 'opaqueredirect' },
    ok: { value: false },
  })
}

const RUNTIMES: [string, Fetch][] = [
  ['Node', fetch],
  ['Workers', workers],
  ['old Workers', oldWorkers],
  ['a page', page],
]
const ALICE = { username: 'alice', password: 'secret-4711' }

describe.each(RUNTIMES)('in %s', (name, fetch) => {
  beforeEach(() => {
    if (name === 'old Workers') vi.stubGlobal('Request', OldRequest)
  })

  const redirecting = async (status: number) => {
    const elsewhere = await serve(() => ({ body: { access: jwt({ sub: 'a' }) } }))
    const location = `${elsewhere.origin}/login/?next=secret-4711`
    const { origin } = await serve(() => ({ status, headers: { location } }))
    return { origin, elsewhere }
  }

  it.each([301, 302, 303, 307, 308])('a token endpoint that answers %i', async (status) => {
    const { origin, elsewhere } = await redirecting(status)
    const url = `${origin}/api/token`
    for (const session of [
      simpleJwt({ obtain: url, refresh: url, fetch }),
      passwordGrant({ url, fetch }),
      cookieSession({ login: url, csrf: { url }, origins: [origin], fetch }),
    ]) {
      const error = await rejection(session.login(ALICE))
      expect(error).toBeInstanceOf(TokenUnavailableError)
      expect(error.message).toMatch(/^POST http\S+\/api\/token answered .*redirect.*slash/)
      expect(error.message).not.toContain('secret-4711')
      expect(error).toHaveProperty('status', name === 'a page' ? undefined : status)
    }
    expect(elsewhere.received).toEqual([])
  })

  it.each([301, 302, 303, 307, 308])('session.fetch that is answered %i', async (status) => {
    const { origin, elsewhere } = await redirecting(status)
    const session = fixedToken('t', { origins: [origin], fetch })
    for (const given of [{}, { redirect: 'follow' }, { redirect: 'error' }] as const) {
      const error = await rejection(session.fetch(`${origin}/api?key=secret-4711`, given))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toMatch(/session\.fetch.*\/api\S* redirects.*'manual'/)
      expect(error.message).not.toContain('secret-4711')
    }
    const shown = await session.fetch(`${origin}/api`, { redirect: 'manual' })
    expect(shown.status).toBe(name === 'a page' ? 0 : status)
    expect(elsewhere.received).toEqual([])
  })

  it.each<[string, Reply, unknown]>([
    ['an answer', { body: { access: jwt({ sub: 'a' }), refresh: 'r' } }, undefined],
    ['a refusal', { status: 401, body: { detail: 'no' } }, 'TOKEN_REFUSED'],
    ['a failure', { status: 500 }, 'TOKEN_UNAVAILABLE'],
  ])('is judged as ever: %s', async (_name, reply, code) => {
    const { origin } = await serve(() => reply)
    const session = simpleJwt({ obtain: origin, refresh: origin, fetch })
    const ended = await session.login(ALICE).then(
      () => undefined,
      (error: { code: unknown }) => error.code,
    )
    expect(ended).toBe(code)
  })

  it.each([200, 204, 300, 304, 404])('session.fetch gives an answer of %i', async (status) => {
    const { origin } = await serve(() => ({ status, ...(status % 100 === 4 && { body: '' }) }))
    const session = fixedToken('t', { origins: [origin], fetch })
    if (name === 'a page' && status >= 300 && status < 400) return
    expect((await session.fetch(origin)).status).toBe(status)
  })
})
