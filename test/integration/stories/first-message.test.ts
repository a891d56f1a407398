import { expect, test } from 'vitest'
import { viaFirstMessage } from '../../../src/index.ts'
import {
  DAY,
  HOUR,
  pass,
  record,
  SECOND,
  sessionStoryOf,
  storyOf,
  tellStories,
  until,
} from '../../support/story.ts'

tellStories()

const transmission = viaFirstMessage('rooms')

test('An answer has five seconds from the open on; then the attempt has failed', async () => {
  const { server, socket } = storyOf({}, { transmission })
  const { states } = record(socket)
  socket.connect()
  await until(() => server.received.length === 1, SECOND)
  const { dial } = server.received[0] ?? {}
  await until(() => socket.state === 'waiting', 10 * SECOND)
  expect(Date.now() - (dial?.openedAt ?? 0)).toBeGreaterThanOrEqual(5 * SECOND)
  expect(Date.now() - (dial?.openedAt ?? 0)).toBeLessThan(5.1 * SECOND)
  expect(states).not.toContain('connected')
})

test('A server that never answers, for a day, costs one refresh, and ends no session', async () => {
  const story = sessionStoryOf({ form: 'opaque', lifetimeMs: 10 * DAY }, { transmission })
  const { server, socket, session } = story
  await story.login()
  const { states } = record(socket)
  socket.connect()
  await pass(DAY)
  expect(story.refreshes()).toBe(1)
  expect(server.dials.length).toBeLessThanOrEqual(1_500)
  expect(states).not.toContain('failed')
  expect(session.signedIn).toBe(true)
  expect(server.received.length).toBe(server.dials.length)
})

test('A server that answers late is joined as soon as it does', async () => {
  const { server, socket } = storyOf({}, { transmission })
  socket.connect()
  await until(() => server.received.length === 1, SECOND)
  await pass(4 * SECOND)
  expect(socket.state).toBe('connecting')
  server.say('{"type":"welcome"}')
  await until(() => socket.state === 'connected', SECOND)
  await pass(HOUR)
  expect(server.dials.length).toBe(1)
  expect(server.received.length).toBe(1)
})
