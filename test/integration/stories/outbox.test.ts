import { describe, expect, test, vi } from 'vitest'
import { roomPerSocket } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  outcomeOf,
  pass,
  REFUSE,
  record,
  SECOND,
  sessionStoryOf,
  storyOf,
  tellStories,
  timersLeft,
} from '../../support/story.ts'

tellStories()

describe('Sends while the connection is down', () => {
  test('wait, and leave once and in order after it', async () => {
    const { server, socket } = storyOf()
    socket.connect()
    await pass(MINUTE)
    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(SECOND)
    const outcomes = [1, 2, 3].map((n) => outcomeOf(socket.send({ n })))
    await pass(10 * MINUTE)
    expect(outcomes.map(({ is }) => is)).toEqual(['open', 'open', 'open'])
    expect(server.received).toEqual([])

    server.receive = () => ACCEPT
    await pass(2 * MINUTE)
    expect(outcomes.map(({ is }) => is)).toEqual(['done', 'done', 'done'])
    server.closeAll(1006)
    await pass(HOUR)
    expect(server.received.map(({ data }) => data)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
  })

  test('are bounded by count', async () => {
    const { server, socket } = storyOf({}, { outbox: { count: 3 } })
    server.receive = () => REFUSE
    socket.connect()
    await pass(SECOND)
    const outcomes = [1, 2, 3, 4, 5].map((n) => outcomeOf(socket.send(n)))
    await pass(SECOND)
    const full = ['open', 'open', 'open', 'OutboxFullError', 'OutboxFullError']
    expect(outcomes.map(({ is }) => is)).toEqual(full)
    server.receive = () => ACCEPT
    await pass(MINUTE)
    expect(server.received.map(({ data }) => data)).toEqual(['1', '2', '3'])
    expect(outcomeOf(socket.send(6))).toBeDefined()
    await pass(SECOND)
    expect(server.received.map(({ data }) => data)).toEqual(['1', '2', '3', '6'])
  })

  test('are bounded by bytes', async () => {
    const { server, socket } = storyOf({}, { outbox: { bytes: 100 } })
    server.receive = () => REFUSE
    socket.connect()
    await pass(SECOND)
    const outcomes = ['a', 'b'].map((letter) => outcomeOf(socket.send(letter.repeat(60))))
    await pass(SECOND)
    expect(outcomes.map(({ is }) => is)).toEqual(['open', 'OutboxFullError'])
  })

  test('end with their own time, and with their own signal', async () => {
    const { server, socket } = storyOf()
    server.receive = () => REFUSE
    socket.connect()
    await pass(SECOND)
    const controller = new AbortController()
    const timed = outcomeOf(socket.send('timed', { timeoutMs: 5 * SECOND }))
    const aborted = outcomeOf(socket.send('aborted', { signal: controller.signal }))
    await pass(4 * SECOND)
    expect([timed.is, aborted.is]).toEqual(['open', 'open'])
    controller.abort()
    await pass(2 * SECOND)
    expect([timed.is, aborted.is]).toEqual(['NotConnectedError', 'AbortError'])
    server.receive = () => ACCEPT
    await pass(MINUTE)
    expect(server.received).toEqual([])
  })

  test('are rejected by disconnect() and by failure, and nobody needs to listen', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const { server, socket } = storyOf()
    server.receive = () => REFUSE
    socket.connect()
    await pass(SECOND)
    socket.send('ignored')
    const outcome = outcomeOf(socket.send('watched'))
    await socket.disconnect()
    await pass(SECOND)
    expect(outcome.is).toBe('NotConnectedError')

    const ended = storyOf()
    ended.server.receive = () => acceptFor(6 * SECOND, 4003)
    ended.socket.connect()
    ended.server.receive = () => acceptFor(100, 4003)
    ended.socket.send('ignored')
    const lost = outcomeOf(ended.socket.send('watched'))
    await pass(MINUTE)
    expect(ended.socket.state).toBe('failed')
    expect(lost.is).toBe('CredentialRejectedError')
    expect(ended.server.received).toEqual([])
    expect(unhandled).not.toHaveBeenCalled()
    process.off('unhandledRejection', unhandled)
  })

  test('survive a socket that is rejected before it is accepted, and leave on the next', async () => {
    const { server, socket } = storyOf()
    server.receive = ({ number }) => (number === 1 ? acceptFor(100, 4003) : ACCEPT)
    socket.connect()
    const outcome = outcomeOf(socket.send('once'))
    await pass(10 * SECOND)
    expect(outcome.is).toBe('done')
    expect(server.received).toMatchObject([{ data: '"once"', dial: { number: 2 } }])
  })

  test('are held until the server has shown that it accepts: 250 ms, or its first frame', async () => {
    const { server, socket } = storyOf()
    socket.connect()
    const outcome = outcomeOf(socket.send('held'))
    await pass(200)
    expect([server.openSockets, outcome.is]).toEqual([1, 'open'])
    await pass(100)
    expect(outcome.is).toBe('done')

    const greets = storyOf()
    greets.server.receive = () => ({ kind: 'accept', greeting: 'hello' })
    greets.socket.connect()
    const soon = outcomeOf(greets.socket.send('soon'))
    await pass(100)
    expect(soon.is).toBe('done')
    expect(await timersLeft()).toBeGreaterThan(0)
  })
})

describe('A frame of one person', () => {
  test('is never sent by another who signs in meanwhile', async () => {
    const story = sessionStoryOf()
    const { server, socket } = story
    await story.login('ann')
    socket.connect()
    await pass(MINUTE)
    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(SECOND)
    const outcome = outcomeOf(socket.send('from ann'))
    server.receive = () => ACCEPT
    await story.login('bob')
    await pass(2 * MINUTE)
    expect(socket.identity).toBe('bob')
    expect(outcome.is).toBe('NotConnectedError')
    await socket.send('from bob')
    await pass(SECOND)
    expect(server.received.map(({ data }) => data)).toEqual(['"from bob"'])
  })

  test('is not sent by another either where tokens do not tell whose they are', async () => {
    const story = sessionStoryOf({ form: 'opaque' })
    const { server, socket } = story
    await story.login('ann')
    socket.connect()
    await pass(MINUTE)
    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(SECOND)
    const outcome = outcomeOf(socket.send('from ann'))
    server.receive = () => ACCEPT
    await story.login('bob')
    await pass(2 * MINUTE)
    expect(server.received).toEqual([])
    expect(outcome.is).toBe('NotConnectedError')
  })

  test.each(['jwt', 'opaque'] as const)(
    'travels on a socket of its own, not on that of who was signed in before (%s)',
    async (form) => {
      const story = sessionStoryOf({ form })
      const { server, socket } = story
      await story.login('ann')
      socket.connect()
      await pass(MINUTE)
      await story.login('bob')
      socket.send('from bob')
      await pass(MINUTE)
      expect(server.received.map(({ data }) => data)).toEqual(['"from bob"'])
      expect(server.received[0]?.dial.number).toBe(2)
    },
  )

  test('outlives its socket while nobody knows whose it is: within a login it is one person', async () => {
    const { server, socket } = storyOf({ form: 'opaque', lifetimeMs: HOUR })
    server.receive = ({ number }) => (number === 1 ? acceptFor(100, 1006) : ACCEPT)
    socket.connect()
    await pass(50)
    const outcome = outcomeOf(socket.send('whose?'))
    await pass(MINUTE)
    expect(socket.state).toBe('connected')
    expect(outcome.is).toBe('done')
    expect(server.received.map(({ data }) => data)).toEqual(['"whose?"'])
  })
})

describe('A gap', () => {
  test('is told on each reconnect of a socket, and not on the first connect', async () => {
    const { server, socket } = storyOf({ lifetimeMs: HOUR })
    const { events } = record(socket)
    socket.connect()
    await pass(MINUTE)
    for (let i = 0; i < 3; i++) {
      server.closeAll(1006)
      await pass(MINUTE)
    }
    const round = ['disconnected 1006', 'reconnected', 'gap']
    expect(events).toEqual(['connected', ...round, ...round, ...round])
  })

  test('is told to each room, and again after a renewal', async () => {
    const story = sessionStoryOf({ lifetimeMs: HOUR }, { protocol: roomPerSocket() })
    const { server, socket } = story
    await story.login()
    const gaps: string[] = []
    for (const name of ['a', 'b']) {
      const room = socket.room(name)
      room.on('gap', ({ reason }) => gaps.push(`${name} ${reason}`))
      room.join()
    }
    await pass(MINUTE)
    expect(gaps).toEqual([])
    server.closeAll(1006)
    await pass(MINUTE)
    expect(gaps.sort()).toEqual(['a no-recovery', 'b no-recovery'])
  })
})
