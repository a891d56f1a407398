import { expect, it } from 'vitest'
import { TokenRefusedError } from '../../../src/errors.ts'
import { passwordGrantParts } from '../../../src/sessions/password-grant.ts'
import { ask, rejection, serve } from './support.ts'

const ALICE = { username: 'alice', password: 'correct horse' }

const start = async (options: Record<string, unknown> = {}) => {
  let n = 0
  const server = await serve((request) => {
    n++
    if (request.body.includes('wrong')) {
      return { status: 401, body: { detail: 'Incorrect username or password' } }
    }
    const refresh_token = `r${n}`
    return { body: { access_token: `a${n}`, token_type: 'bearer', expires_in: 60, refresh_token } }
  })
  const parts = passwordGrantParts({
    url: `${server.origin}/token`,
    origin: server.origin,
    ...options,
  })
  const signIn = async (credentials = ALICE) => {
    const entry = await parts.signIn?.(credentials, new AbortController().signal)
    entry?.commit()
    return entry?.answer
  }
  return { ...server, parts, source: parts.source, signIn }
}

it('sends the OAuth2 form', async () => {
  const { signIn, received } = await start({ clientId: 'app', scope: 'chat read' })
  expect(await signIn()).toMatchObject({ kind: 'token', token: 'a1', expiresInMs: 60_000 })
  expect(Object.fromEntries(new URLSearchParams(received[0]?.body))).toEqual({
    grant_type: 'password',
    username: 'alice',
    password: 'correct horse',
    client_id: 'app',
    scope: 'chat read',
  })
})

it('a wrong password is refused', async () => {
  const { signIn } = await start()
  expect(await rejection(signIn({ ...ALICE, password: 'wrong' }))).toBeInstanceOf(TokenRefusedError)
})

it('without refreshUrl nothing renews', async () => {
  const { signIn, source } = await start()
  await signIn()
  expect([source.canRenew, source.canAsk]).toEqual([false, false])
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
})

it('stored credentials are used once without reobtain', async () => {
  const { source, received } = await start({ credentials: ALICE })
  expect(await ask(source)).toMatchObject({ token: 'a1' })
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
  expect(source.canAsk).toBe(false)
  expect(received).toHaveLength(1)
})

it('without refreshUrl, a bot signs in again', async () => {
  const { source, received } = await start({ credentials: ALICE, reobtain: true })
  await ask(source)
  await ask(source)
  expect(source.canRenew).toBe(true)
  expect(received).toHaveLength(2)
})

it.each([
  ['json', '{"refresh_token":"r1"}', '{"refresh_token":"r2"}'],
  [
    'form',
    'grant_type=refresh_token&refresh_token=r1&client_id=app',
    'token=r2&token_type_hint=refresh_token&client_id=app',
  ],
])('refreshes and revokes as %s', async (refreshAs, refreshed, revoked) => {
  const { signIn, source, received, parts } = await start({
    refreshAs,
    clientId: 'app',
    refreshUrl: '/token/refresh',
    revokeUrl: '/token/revoke',
  })
  await signIn()
  expect(await ask(source)).toMatchObject({ token: 'a2' })
  const revoke = parts.revoker?.()
  source.clear()
  await revoke?.()
  expect(received.slice(1).map(({ path, body }) => [path, body])).toEqual([
    ['/token/refresh', refreshed],
    ['/token/revoke', revoked],
  ])
})
