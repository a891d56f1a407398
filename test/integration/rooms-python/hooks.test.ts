/** What the application's hooks decide, and what happens when they fail. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../../scripts/python-env.mjs'
import { PythonApp } from '../../support/python-app.ts'
import type { Frame } from './frames.ts'
import { dial, enter, PROTOCOL } from './peer.ts'

let server: PythonApp
beforeAll(async () => {
  await ensurePythonEnv()
  const folder = 'test/integration/rooms-python'
  server = new PythonApp({ folder, app: 'hooks_app:app', module: 'fastapi' })
  await server.listening
})
afterAll(() => server?.stop())

const closedWith = async (options: Parameters<typeof dial>[1]) => {
  const peer = await dial(server, options)
  const { code } = await peer.ended
  expect(peer.frames).toEqual([])
  return code
}

it('a user who may not be here at all is closed with 4403, at the door and later', async () => {
  expect(await closedWith({ token: 'banned' })).toBe(4403)
  const alice = await enter(server, { token: 'alice' })
  alice.say({ type: 'auth', token: 'banned' })
  expect((await alice.ended).code).toBe(4403)
})

it('a failure is no refusal: 1011 at the door, unavailable later, and the token in no log', async () => {
  expect(await closedWith({ token: 'broken-secret' })).toBe(1011)
  const alice = await enter(server, { token: 'alice' })
  expect(await alice.ask({ type: 'auth', token: 'broken-secret' })).toMatchObject({
    type: 'error',
    code: 'unavailable',
  })
  await alice.close()
  expect(server.output).toContain('authentication failed by ValueError')
  expect(server.output).not.toContain('broken-secret')
})

it('a cookie tells who has come, and a first message where none did', async () => {
  const withCookie = { protocols: [PROTOCOL], headers: { cookie: 'session=carol' } }
  const carol = await enter(server, withCookie)
  expect((await carol.welcome).user).toBe('carol')
  expect(await carol.ask({ type: 'auth', token: 'alice' })).toMatchObject({ code: 'other-user' })
  await carol.close()
  const foreign = { ...withCookie.headers, origin: 'https://evil.example' }
  expect(await closedWith({ protocols: [PROTOCOL], headers: foreign })).toBe(4403)
  expect(await closedWith({ protocols: [PROTOCOL] })).toBe(4003)
  const alice = await dial(server, { protocols: [PROTOCOL] })
  alice.say({ type: 'auth', token: 'alice' })
  expect((await alice.welcome).user).toBe('alice')
  await alice.close()
})

it('authorize sees the params, refuses in its own words, and its failure is temporary', async () => {
  const alice = await enter(server, { token: 'alice' })
  expect(await alice.join('locked')).toMatchObject({ code: 'forbidden', room: 'locked' })
  expect(await alice.join('locked', { params: { key: 'fits' } })).toMatchObject({ type: 'joined' })
  const later = { code: 'rate-limited', message: 'come again', retryAfterMs: 50 }
  expect(await alice.join('later')).toMatchObject(later)
  expect(await alice.join('broken')).toMatchObject({ code: 'unavailable', room: 'broken' })
  await alice.close()
})

it('a send or call whose hook fails is answered, and the connection goes on', async () => {
  const alice = await enter(server, { token: 'alice' })
  await alice.join('lobby')
  expect(await alice.send('lobby', 'broken')).toMatchObject({ code: 'forbidden', room: 'lobby' })
  for (const method of ['broken', 'unspeakable'])
    expect(await alice.ask({ type: 'call', method })).toMatchObject({ code: 'forbidden' })
  expect(await alice.send('lobby', 'fine')).toMatchObject({ type: 'ok', seq: 1 })
  await alice.close()
})

it('on_presence sees what is shown before anybody else, and may change or refuse it', async () => {
  const alice = await enter(server, { token: 'alice' })
  const shown = await alice.join('shown', { presence: { mood: 'calm' } })
  expect(shown.members).toMatchObject([{ data: { mood: 'calm', checked: true } }])
  expect(await alice.join('other', { presence: { secret: 1 } })).toMatchObject({
    code: 'forbidden',
  })
  const large = await alice.join('other', { presence: { x: 'é'.repeat(512) } })
  expect(large).toMatchObject({ code: 'too-large', room: 'other' })
  // What it showed before stands, and it is still there.
  expect(await alice.join('shown', { presence: { secret: 1 } })).toMatchObject({
    code: 'forbidden',
  })
  expect(await alice.send('shown', 'still here')).toMatchObject({ type: 'ok' })
  await alice.close()
})

it('a slow call holds up nothing', async () => {
  const alice = await enter(server, { token: 'alice' })
  await alice.join('lobby')
  const slow = alice.ask({ type: 'call', method: 'slow' })
  expect(await alice.send('lobby', 'meanwhile')).toMatchObject({ type: 'ok' })
  expect(alice.frames.some(({ type }) => type === 'reply')).toBe(false)
  expect(await slow).toMatchObject({ type: 'reply', data: 'alice' })
  await alice.close()
})

it('nothing overtakes a send that is to come again, though more may be sent by then', async () => {
  const alice = await enter(server, { token: 'alice' })
  await alice.join('slow')
  const answers: Promise<Frame>[] = []
  // More at once than may be unanswered, and than may be sent in a second, and then one by one.
  for (let n = 0; n < 150; n++) {
    answers.push(alice.send('slow', 'slow'))
    if (n > 80) await delay(4)
  }
  const codes = (await Promise.all(answers)).map(({ type, code }) => code ?? type)
  const first = codes.indexOf('rate-limited')
  expect(first).toBeGreaterThan(0)
  expect(new Set(codes.slice(first))).toEqual(new Set(['rate-limited']))
  await alice.close()
})

it.each([
  [
    'one before it that is refused again',
    ['1 later', '2', '1 later', '2', '1', '2'],
    '- - - - 1 2',
  ],
  [
    'one between that is refused again',
    ['1 later', '2', '3', '1', '2 later', '3', '2', '3'],
    '- - - 1 - - 2 3',
  ],
  ['nothing that was given up', ['1 later', '2', '2', '3'], '- - 1 2'],
  ['nothing that is volatile', ['1 later volatile', '2'], '- 1'],
])('a send waits for %s', async (_, story, seqs) => {
  const alice = await enter(server, { token: 'alice' })
  const room = `turns ${story}`
  await alice.join(room)
  // All at once: each is on its way before the one before it is answered.
  const answers = story.map((step) => {
    const [n, ...words] = step.split(' ')
    const volatile = words.includes('volatile') ? { volatile: true } : {}
    return alice.ask(alice.draft(room, words[0] ?? 'x', { n: Number(n), ...volatile }))
  })
  expect((await Promise.all(answers)).map(({ seq = '-' }) => seq).join(' ')).toBe(seqs)
  await alice.close()
})
