import { describe, expect, it } from 'vitest'
import { TokenRefusedError } from '../../../src/errors.ts'
import { fixedToken } from '../../../src/sessions/fixed-token.ts'
import { holderOf } from '../../../src/sessions/registry.ts'
import { simpleJwt } from '../../../src/sessions/simple-jwt.ts'
import { ALICE, rotatingBackend } from './backend.ts'
import { expectNoSecret, rejection } from './support.ts'

const REVOKE = '/api/token/blacklist/'

const start = async (options: Record<string, unknown> = {}, cookie = false) => {
  const backend = await rotatingBackend({ cookie })
  const session = simpleJwt({ ...backend.options, ...options })
  const events: string[] = []
  session.on('signedin', () => events.push('in'))
  session.on('signedout', () => events.push('out'))
  await session.login(ALICE)
  return { backend, session, events }
}

describe('switch', () => {
  it('signs in anew, and revokes what was held before', async () => {
    const { backend, session } = await start()
    const before = await holderOf(session).token()
    await session.switch(ALICE)
    expect(await holderOf(session).token()).not.toBe(before)
    await expect.poll(() => backend.requestsTo(REVOKE).length).toBe(1)
    expect(backend.alive).toEqual(['refresh-canary-2'])
    await holderOf(session).refresh()
    expect(backend.used).toEqual(['refresh-canary-2'])
  })

  it('wrong credentials change nothing', async () => {
    const { backend, session, events } = await start()
    const wrong = { ...ALICE, password: 'canary-4711' }
    const error = await rejection(session.switch(wrong))
    expect(error).toBeInstanceOf(TokenRefusedError)
    expectNoSecret(error, 'canary-4711')
    expect([session.signedIn, events]).toEqual([true, ['in']])
    expect(backend.requestsTo(REVOKE)).toEqual([])
    await holderOf(session).refresh()
    expect(backend.used).toEqual(['refresh-canary-1'])
  })

  it("revokes nothing by a cookie, which is the new user's already", async () => {
    const { backend, session } = await start({ refreshToken: 'httpOnlyCookie' }, true)
    await session.switch(ALICE)
    await holderOf(session).refresh()
    expect(backend.requestsTo(REVOKE)).toEqual([])
    expect(backend.used).toEqual(['refresh-canary-2'])
  })

  it('is overtaken by a logout, and by another switch', async () => {
    const { session } = await start()
    const first = session.switch(ALICE)
    const second = session.switch(ALICE)
    expect(await rejection(first)).toMatchObject({ name: 'AbortError' })
    session.logout()
    expect(await rejection(second)).toMatchObject({ name: 'AbortError' })
    expect(session.signedIn).toBe(false)
    await session.switch(ALICE)
    expect(session.signedIn).toBe(true)
  })

  it('needs a session that can sign in, and can be ignored', async () => {
    expect(await rejection(fixedToken('abc').switch())).toBeInstanceOf(TypeError)
    fixedToken('abc').switch()
  })
})
