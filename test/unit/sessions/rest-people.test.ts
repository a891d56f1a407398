/** A REST call is of who made it: nobody else's token goes with it. */
import { describe, expect, it } from 'vitest'
import { simpleJwt } from '../../../src/sessions/simple-jwt.ts'
import { deferred, jwt, serve } from './support.ts'

const as = (username: string) => ({ username, password: 'secret' })

/** Answers each call with 401, once it is told to; tokens are of whoever asks. */
const start = async () => {
  const [arrived, go] = [deferred(), deferred()]
  let minted = 0
  const server = await serve(async ({ path, body, headers }) => {
    if (path === '/rest') {
      arrived.resolve()
      await go.promise
      return { status: 401, body: { by: headers.authorization } }
    }
    const { username, refresh } = JSON.parse(body) as { username?: string; refresh?: string }
    const sub = username ?? refresh
    if (path === '/refresh') await go.promise
    return { body: { access: jwt({ sub, jti: ++minted, exp: 2e9 }), refresh: sub } }
  })
  const session = simpleJwt({
    obtain: `${server.origin}/obtain`,
    refresh: `${server.origin}/refresh`,
  })
  await session.login(as('ann'))
  const bearers = () => server.received.filter(({ path }) => path === '/rest').map(subOf)
  const rest = () => session.fetch(`${server.origin}/rest`, { method: 'POST', body: 'of ann' })
  return { session, arrived, go, bearers, rest }
}

const subOf = ({ headers }: { headers: { authorization?: string | undefined } }): string => {
  const payload = headers.authorization?.split('.')[1] ?? ''
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

describe('a REST call', () => {
  it('is repeated once with the younger token of the same person', async () => {
    const { go, bearers, rest } = await start()
    const answer = rest()
    go.resolve()
    expect([(await answer).status, bearers()]).toEqual([401, ['ann', 'ann']])
  })

  it.each(['login', 'switch'] as const)(
    'is not repeated with the token of who came by %s() meanwhile',
    async (verb) => {
      const { session, arrived, go, bearers, rest } = await start()
      const answer = rest()
      await arrived.promise
      await session[verb](as('bob'))
      go.resolve()
      expect([(await answer).status, bearers()]).toEqual([401, ['ann']])
    },
  )

  it('that waits for a token is not sent with the next one’s', async () => {
    const { session, go, bearers, rest } = await start()
    const { holderOf } = await import('../../../src/sessions/registry.ts')
    holderOf(session)
      .refresh()
      .catch(() => {})
    const answer = rest()
    answer.catch(() => {})
    await session.switch(as('bob'))
    go.resolve()
    await expect(answer).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    expect(bearers()).toEqual([])
  })
})
