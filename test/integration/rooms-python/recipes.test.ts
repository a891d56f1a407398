/** What the recipes show, run as it stands there: alone, and as two processes on one Redis. */

import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../../scripts/python-env.mjs'
import { PythonApp } from '../../support/python-app.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { enter, type Peer } from './peer.ts'

const START_MS = 60_000
const SECRET = 'a secret for this test only, 32 bytes'

const tokenOf = (user: string): Promise<string> =>
  new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + 600)
    .sign(new TextEncoder().encode(SECRET))

const recipe = (app: string, module: string, env: Record<string, string> = {}): PythonApp =>
  new PythonApp({ folder: 'examples/server', app, module, env: { CHAT_SECRET: SECRET, ...env } })

describe.each([
  ['fastapi_rooms:app', 'fastapi'],
  ['channels_rooms:application', 'channels'],
])('examples/server, %s', (app, module) => {
  let redis: TestRedis
  let alone: PythonApp
  let pair: readonly [PythonApp, PythonApp]
  beforeAll(async () => {
    ;[redis] = await Promise.all([startRedis(), ensurePythonEnv()])
    alone = recipe(app, module)
    const shared = { REDIS_URL: redis.url }
    pair = [recipe(app, module, shared), recipe(app, module, shared)]
    await Promise.all([alone, ...pair].map(({ listening }) => listening))
  }, START_MS)
  afterAll(async () => {
    await Promise.all([alone, ...(pair ?? [])].map((server) => server?.stop()))
    await redis?.stop()
  })

  const come = async (server: PythonApp, user: string): Promise<Peer> =>
    enter(server, { token: await tokenOf(user) })

  it('lets a good token in, and each user into the own inbox', async () => {
    const alice = await come(alone, 'alice')
    expect((await alice.welcome).user).toBe('alice')
    expect(await alice.join('inbox:alice')).toMatchObject({ type: 'joined' })
    expect(await alice.join('inbox:bob')).toMatchObject({ type: 'error', code: 'forbidden' })
    await alice.close()
  })

  it('refuses or shortens what is sent, and a repetition of what was stored is not refused', async () => {
    for (const server of [alone, pair[0]]) {
      const alice = await come(server, 'alice')
      await alice.join('texts')
      expect(await alice.send('texts', 'no object')).toMatchObject({ code: 'forbidden' })
      const draft = alice.draft('texts', { text: 'x'.repeat(3_000), more: 1 })
      expect(await alice.ask(draft)).toMatchObject({ type: 'ok', seq: 1 })
      await alice.heard('texts', { text: 'x'.repeat(2_000) })
      expect(await alice.ask({ ...draft, data: 'refused now' })).toMatchObject({ seq: 1 })
      await alice.close()
    }
  })

  it('is one server in two processes', async () => {
    const [alice, bob] = [await come(pair[0], 'alice'), await come(pair[1], 'bob')]
    for (const peer of [alice, bob]) await peer.join('lobby')
    await alice.send('lobby', { text: 'hi' })
    await bob.heard('lobby', { text: 'hi' })
    await Promise.all([alice.close(), bob.close()])
  })

  it('tells to move when it is asked to end', async () => {
    const ending = recipe(app, module)
    await ending.listening
    const alice = await come(ending, 'alice')
    ending.end()
    const drain = await alice.until('drain', ({ type }) => type === 'drain')
    expect(drain.withinMs).toBe(5_000)
    await alice.close()
    // Nobody is left to wait for.
    await ending.ended
  })
})
