/** What goes out again after its socket was lost, by whose credential it is and what was promised of it. */
import { describe, expect, test } from 'vitest'
import { type AuthedSocketOptions, fixedToken, plain } from '../../../src/index.ts'
import {
  ACCEPT,
  MINUTE,
  outcomeOf,
  pass,
  REFUSE,
  SECOND,
  type StoryServer,
  sessionStoryOf,
  storyOf,
  tellStories,
} from '../../support/story.ts'

tellStories()

const ANSWERED = plain({
  correlate: {
    request: (type, payload, id) => ({ id, type, payload }),
    answer: (frame) =>
      typeof frame === 'object' && frame !== null && 'answer' in frame
        ? { id: Number(frame.answer), ok: true }
        : undefined,
  },
})

type Options = Partial<AuthedSocketOptions>

const CREDENTIALS: readonly [string, 'jwt' | 'opaque', () => Options][] = [
  ['a JWT of a function', 'jwt', () => ({})],
  ['an opaque token of a function', 'opaque', () => ({})],
  ['an API key', 'opaque', () => ({ auth: fixedToken('api-key') })],
  ['a JWT that names nobody', 'opaque', () => ({ auth: () => 'e30.e30.x' })],
  ['an identity that cannot be read', 'jwt', () => ({ identify: () => undefined })],
]

const idsOf = (server: StoryServer) =>
  server.received.map(({ data }) => String((JSON.parse(data) as { type: string }).type))

describe.each(CREDENTIALS)('with %s', (_, form, options) => {
  const begin = async () => {
    const story = storyOf({ form }, { protocol: ANSWERED, ...options() })
    story.socket.connect()
    await pass(MINUTE)
    return story
  }

  test('an idempotent request is sent again, and answered', async () => {
    const { server, socket } = await begin()
    const outcome = outcomeOf(socket.request('again', 1, { idempotent: true }))
    await pass(SECOND)
    server.closeAll(1006)
    await pass(5 * SECOND)
    expect(idsOf(server)).toEqual(['again', 'again'])
    const { id } = JSON.parse(server.received[1]?.data ?? '{}') as { id: number }
    server.say(JSON.stringify({ answer: id }))
    await pass(SECOND)
    expect(outcome.is).toBe('done')
  })

  test('another request is unknown, and not sent again', async () => {
    const { server, socket } = await begin()
    const outcome = outcomeOf(socket.request('once', 1))
    await pass(SECOND)
    server.closeAll(1006)
    await pass(MINUTE)
    expect([idsOf(server), outcome.is]).toEqual([['once'], 'SendUnknownError'])
  })

  test('what waits outlives a socket that was closed before it was accepted', async () => {
    const { server, socket } = storyOf({ form }, options())
    let opened = 0
    server.receive = () =>
      ++opened === 1 ? { kind: 'accept', closeAfterMs: 100, code: 1006 } : ACCEPT
    socket.connect()
    await pass(50)
    const outcome = outcomeOf(socket.send('kept'))
    await pass(MINUTE)
    expect([server.received.map(({ data }) => data), outcome.is]).toEqual([['"kept"'], 'done'])
  })
})

describe.each(['jwt', 'opaque'] as const)('across logins (%s)', (form) => {
  test.each([
    ['an idempotent request', true],
    ['another request', false],
  ])('%s of one is not sent by the next', async (_, idempotent) => {
    const story = sessionStoryOf({ form }, { protocol: ANSWERED })
    const { server, socket } = story
    await story.login('ann')
    socket.connect()
    await pass(MINUTE)
    const outcome = outcomeOf(socket.request('ann', 1, { idempotent }))
    await pass(SECOND)
    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(SECOND)
    server.receive = () => ACCEPT
    await story.login('bob')
    await pass(2 * MINUTE)
    expect(socket.state).toBe('connected')
    expect(idsOf(server)).toEqual(['ann'])
    expect(outcome.is).toBe('SendUnknownError')
  })

  test('a renewal is the same login: an idempotent request goes on', async () => {
    const story = sessionStoryOf({ form, lifetimeMs: 2 * MINUTE }, { protocol: ANSWERED })
    const { server, socket } = story
    await story.login('ann')
    socket.connect()
    await pass(SECOND)
    socket.request('ann', 1, { idempotent: true, timeoutMs: 10 * MINUTE })
    await pass(SECOND)
    server.receive = () => REFUSE
    server.closeAll(4003)
    await pass(20 * SECOND)
    server.receive = () => ACCEPT
    await pass(MINUTE)
    expect(story.refreshes()).toBeGreaterThan(0)
    expect(idsOf(server)).toEqual(['ann', 'ann'])
  })
})
