/** What the recipes show, run as it stands there: alone, and as two processes on one Redis. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../../scripts/python-env.mjs'
import { type Dialable, enter, type Peer } from './peer.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const START_MS = 60_000
const SECRET = 'a secret for this test only, 32 bytes'

const tokenOf = (user: string): Promise<string> =>
  new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1_000) + 600)
    .sign(new TextEncoder().encode(SECRET))

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null

/** One of the files in examples/server, with the module that its recipe says to copy. */
class Recipe implements Dialable {
  wsUrl = ''
  readonly #child: ChildProcess
  readonly #listening: Promise<void>

  constructor(app: string, module: string, redis: string | undefined) {
    const args = ['-m', 'uvicorn', '--app-dir', 'examples/server', '--port', '0', app]
    const child = spawn(`${root}.venv/bin/python`, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        CHAT_SECRET: SECRET,
        PYTHONPATH: `test/servers/${module}`,
        PYTHONDONTWRITEBYTECODE: '1',
        ...(redis === undefined ? {} : { REDIS_URL: redis }),
      },
    })
    this.#child = child
    this.#listening = new Promise((resolve, reject) => {
      let output = ''
      child.once('exit', () => reject(new Error(output)))
      createInterface(child.stderr).on('line', (line) => {
        output += `${line}\n`
        const [, port] = /running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
        if (port === undefined) return
        this.wsUrl = `ws://127.0.0.1:${port}`
        resolve()
      })
    })
  }

  get listening(): Promise<void> {
    return this.#listening
  }

  control(): Promise<never> {
    return Promise.reject(new Error('it has no door: give a token'))
  }

  get ended(): Promise<unknown> {
    return hasEnded(this.#child) ? Promise.resolve() : once(this.#child, 'exit')
  }

  end(): void {
    this.#child.kill('SIGTERM')
  }

  async stop(): Promise<void> {
    const { ended } = this
    this.#child.kill('SIGKILL')
    await ended
  }
}

describe.each([
  ['fastapi_rooms:app', 'fastapi'],
  ['channels_rooms:application', 'channels'],
])('examples/server, %s', (app, module) => {
  let redis: RedisServer
  let alone: Recipe
  let pair: readonly [Recipe, Recipe]
  beforeAll(async () => {
    ;[redis] = await Promise.all([startRedis(), ensurePythonEnv()])
    alone = new Recipe(app, module, undefined)
    pair = [new Recipe(app, module, redis.url), new Recipe(app, module, redis.url)]
    await Promise.all([alone, ...pair].map((recipe) => recipe.listening))
  }, START_MS)
  afterAll(async () => {
    await Promise.all([alone, ...(pair ?? [])].map((recipe) => recipe?.stop()))
    await redis?.stop()
  })

  const come = async (recipe: Recipe, user: string): Promise<Peer> =>
    enter(recipe, { token: await tokenOf(user) })

  it('lets a good token in, and each user into the own inbox', async () => {
    const alice = await come(alone, 'alice')
    expect((await alice.welcome).user).toBe('alice')
    expect(await alice.join('inbox:alice')).toMatchObject({ type: 'joined' })
    expect(await alice.join('inbox:bob')).toMatchObject({ type: 'error', code: 'forbidden' })
    await alice.close()
  })

  it('refuses or shortens what is sent, and a repetition of what was stored is not refused', async () => {
    const alice = await come(alone, 'alice')
    await alice.join('lobby')
    expect(await alice.send('lobby', 'no object')).toMatchObject({ code: 'forbidden' })
    const draft = alice.draft('lobby', { text: 'x'.repeat(3_000), more: 1 })
    expect(await alice.ask(draft)).toMatchObject({ type: 'ok', seq: 1 })
    await alice.heard('lobby', { text: 'x'.repeat(2_000) })
    expect(await alice.ask({ ...draft, data: 'refused now' })).toMatchObject({ type: 'ok', seq: 1 })
    await alice.close()
  })

  it('is one server in two processes', async () => {
    const [alice, bob] = [await come(pair[0], 'alice'), await come(pair[1], 'bob')]
    for (const peer of [alice, bob]) await peer.join('lobby')
    await alice.send('lobby', { text: 'hi' })
    await bob.heard('lobby', { text: 'hi' })
    await Promise.all([alice.close(), bob.close()])
  })

  it('tells to move when it is asked to end', async () => {
    const recipe = new Recipe(app, module, undefined)
    await recipe.listening
    const alice = await come(recipe, 'alice')
    recipe.end()
    const drain = await alice.until('drain', ({ type }) => type === 'drain')
    expect(drain.withinMs).toBe(5_000)
    await alice.close()
    // Nobody is left to wait for.
    await recipe.ended
  })
})
