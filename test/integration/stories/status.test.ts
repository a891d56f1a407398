import { describe, expect, test } from 'vitest'
import { roomPerSocket, type Status } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  pass,
  REFUSE,
  record,
  SECOND,
  type Story,
  storyOf,
  tellStories,
  UNTIL_EXPIRY,
} from '../../support/story.ts'

tellStories()

interface Row {
  readonly story: string
  readonly play: (story: Story) => Promise<void>
  readonly states: string
  readonly events: readonly string[]
}

const UP = 'idle authenticating connecting connected'

const TABLE: readonly Row[] = [
  { story: 'all is well', play: () => pass(MINUTE), states: UP, events: ['connected'] },
  {
    story: 'the network drops once',
    play: async ({ server }) => {
      await pass(MINUTE)
      server.closeAll(1006)
      await pass(MINUTE)
    },
    states: `${UP} waiting authenticating connecting connected`,
    events: ['connected', 'disconnected 1006', 'reconnected', 'gap'],
  },
  {
    story: 'the server restarts',
    play: async ({ server }) => {
      await pass(MINUTE)
      server.closeAll(1012)
      await pass(MINUTE)
    },
    states: `${UP} waiting authenticating connecting connected`,
    events: ['connected', 'disconnected 1012', 'reconnected', 'gap'],
  },
  {
    story: 'the token expires',
    play: async ({ server }) => {
      server.receive = ({ number }) => (number === 1 ? UNTIL_EXPIRY : ACCEPT)
      await pass(HOUR + MINUTE)
    },
    states: `${UP} authenticating connecting connected`,
    events: ['connected', 'disconnected 4003', 'reconnected', 'gap'],
  },
  {
    story: 'the server rejects every token',
    play: async ({ server }) => {
      server.receive = () => acceptFor(100, 4003)
      await pass(MINUTE)
    },
    // The confirming dial asks nobody: it follows from the wait.
    states: 'idle authenticating connecting authenticating connecting waiting connecting failed',
    events: ['signinrequired'],
  },
  {
    story: 'the server ends the session with a code of its own',
    play: async ({ server }) => {
      server.receive = () => acceptFor(MINUTE, 4700)
      await pass(2 * MINUTE)
    },
    states: `${UP} failed`,
    events: ['connected', 'disconnected 4700 for good', 'signinrequired'],
  },
  {
    story: 'the server wants no more of it',
    play: async ({ server }) => {
      server.receive = () => acceptFor(MINUTE, 4800)
      await pass(2 * MINUTE)
    },
    states: `${UP} failed`,
    events: ['connected', 'disconnected 4800 for good'],
  },
  {
    story: 'nobody is signed in',
    play: async ({ auth }) => {
      auth.behaviour = 'signed out'
      await pass(MINUTE)
    },
    states: 'idle authenticating failed',
    events: ['signinrequired'],
  },
  {
    story: 'the user leaves',
    play: async ({ socket }) => {
      await pass(MINUTE)
      await socket.disconnect()
      await pass(MINUTE)
    },
    states: `${UP} idle`,
    events: ['connected', expect.stringMatching(/^disconnected \d+ for good$/)],
  },
  {
    story: 'the server refuses twice, then opens',
    play: async ({ server }) => {
      server.receive = ({ number }) => (number < 3 ? REFUSE : ACCEPT)
      server.host = 'gone'
      await pass(MINUTE)
    },
    states:
      'idle authenticating connecting waiting authenticating connecting waiting authenticating connecting connected',
    events: ['connected'],
  },
]

describe('The states of a socket', () => {
  test.each(TABLE)('when $story', async ({ play, states, events }) => {
    const story = storyOf({}, { closePolicy: { 4700: 'sign-in', 4800: 'stop' } })
    const recording = record(story.socket)
    story.socket.connect()
    await play(story)
    expect(recording.seen()).toBe(states)
    expect(recording.events).toEqual(events)
  })

  test('of ten rooms are one word, and are told once', async () => {
    const { server, socket } = storyOf({}, { protocol: roomPerSocket() })
    const recording = record(socket)
    for (let i = 0; i < 10; i++) socket.room(`room ${i}`).join()
    await pass(MINUTE)
    server.closeAll(1006)
    await pass(MINUTE)
    expect(recording.seen()).toBe(`${UP} waiting authenticating connecting connected`)
    expect(recording.events).toEqual(['connected', 'disconnected 1006', 'reconnected'])
  })
})

describe('A snapshot', () => {
  test('is the same object until something changes, and is then told', async () => {
    const { server, socket } = storyOf()
    let told = 0
    const seen = new Set<Status>([socket.getSnapshot()])
    socket.subscribe(() => {
      told++
      const snapshot = socket.getSnapshot()
      expect(seen.has(snapshot)).toBe(false)
      expect(socket.status).toBe(snapshot)
      expect(Object.isFrozen(snapshot)).toBe(true)
      seen.add(snapshot)
    })
    socket.connect()
    for (let i = 0; i < 300; i++) {
      if (i === 100) server.closeAll(1006)
      const before = socket.getSnapshot()
      const toldBefore = told
      await pass(100)
      if (told === toldBefore) expect(socket.getSnapshot()).toBe(before)
      expect(socket.getSnapshot()).toBe(socket.getSnapshot())
    }
    expect(told).toBe(seen.size - 1)
    expect(told).toBeGreaterThanOrEqual(7)
  })

  test('does not change with frames, sends and verbs that change nothing', async () => {
    const { server, socket } = storyOf()
    socket.connect()
    await pass(MINUTE)
    const snapshot = socket.getSnapshot()
    for (let i = 0; i < 20; i++) {
      server.say('{"n":1}')
      socket.send(i)
      socket.connect()
      await pass(SECOND)
    }
    expect(socket.getSnapshot()).toBe(snapshot)
  })

  test('is told no more to who unsubscribed', async () => {
    const { socket } = storyOf()
    let told = 0
    const unsubscribe = socket.subscribe(() => told++)
    unsubscribe()
    socket.connect()
    await pass(MINUTE)
    expect(told).toBe(0)
  })
})
