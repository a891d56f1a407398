import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type Front, startFront } from '../support/front.ts'
import { Actor, inTurn } from './actor.ts'
import { check } from './checker/checker.ts'
import { Recorder } from './history.ts'
import { type Door, openDoor } from './proxy.ts'
import { pause, type Site, startSite } from './site.ts'

/** Cases of docs/protocol.md that a plan of faults does not meet by itself, on each server. */
const SERVERS = ['node', 'fastapi', 'channels'] as const
/** Of the one test that is away for longer. */
const WINDOW_MS = 700
/** Of all others: on a busy machine it takes some time to come back. */
const LONG_WINDOW_MS = 60_000
/** A server may remember for longer than the window; these are told not to. */
const FORGETFUL = { node: {}, fastapi: { keepMessages: 1 }, channels: { keepMessages: 1 } }
const ROOM = 'lobby'
const soon = { timeout: 30_000, interval: 10 }

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe.each(SERVERS)('On %s', (name) => {
  let site: Site
  beforeAll(async () => {
    site = await startSite(name, { resumeWindowMs: LONG_WINDOW_MS, settings: FORGETFUL[name] })
  })
  afterAll(() => site.stop())

  const rooms = { next: 0 }
  /** The server remembers rooms from test to test. */
  const newRoom = () => `${ROOM}-${rooms.next++}`

  const resumeWindow = async (resumeWindowMs: number): Promise<void> => {
    await Promise.all(site.workers.map((each) => each.control('settings', { resumeWindowMs })))
  }
  const front = async (): Promise<Front> => {
    const made = await startFront({ target: site.target() })
    cleanups.push(() => made.close())
    return made
  }
  const actors = async (
    users: readonly string[],
    urls: readonly string[],
    resumeWindowMs = LONG_WINDOW_MS,
  ) => {
    const recorder = new Recorder()
    const made = users.map(async (user, index) => {
      const tokens = await site.mint(user, 1)
      const url = `${urls[index] ?? `ws://127.0.0.1:${site.target()}`}${site.path}`
      const actor = new Actor({
        index,
        url,
        tokens: inTurn(tokens),
        record: (event) => recorder.record(event),
      })
      cleanups.push(() => actor.disconnect())
      return actor
    })
    const violations = () => {
      recorder.record({ kind: 'quiet' })
      const setup = { users, resumeWindowMs, forbidden: [], refusals: [] }
      return check({ setup, events: recorder.events })
    }
    const heardBy = (client: number) =>
      recorder.events.filter((event) => event.kind === 'delivered' && event.client === client)
    const gapsOf = (client: number) =>
      recorder.events.flatMap((event) =>
        event.kind === 'gap' && event.client === client ? [event.reason] : [],
      )
    return { actors: await Promise.all(made), recorder, violations, heardBy, gapsOf }
  }

  test('two tabs of one user that send at once hear each other and themselves, in one order', async () => {
    const doors: Door[] = []
    for (let index = 0; index < 2; index++)
      doors.push(await openDoor({ target: () => site.target(), reconnect: () => {} }))
    cleanups.push(() => Promise.all(doors.map((door) => door.close())))
    const story = await actors(
      ['alice', 'alice'],
      doors.map((door) => door.wsUrl),
    )
    const room = newRoom()
    for (const actor of story.actors) await actor.enter(room)
    const sends = story.actors.map(async (actor, index) => {
      for (let round = 0; round < 10; round++) {
        const sent = Array.from({ length: 20 }, () => actor.send(room))
        // Each in turn loses its connection in the middle.
        if (round % 4 === index * 2) await doors[index]?.apply({ kind: 'reset' })
        expect(new Set(await Promise.all(sent))).toEqual(new Set(['acknowledged']))
      }
    })
    await Promise.all(sends)

    await vi.waitFor(() => {
      for (const client of [0, 1]) expect(story.heardBy(client)).toHaveLength(400)
    }, soon)
    const keys = (client: number) =>
      story.heardBy(client).map((event) => 'key' in event && event.key)
    expect(keys(0)).toEqual(keys(1))
    for (const client of [0, 1])
      expect(story.heardBy(client).filter((event) => 'own' in event && event.own)).toHaveLength(200)
    expect(story.violations()).toEqual([])
  })

  test('one person with two accounts in a room is two members', async () => {
    const story = await actors(['alice', 'bob'], [])
    const room = newRoom()
    for (const actor of story.actors) await actor.enter(room)
    await Promise.all(
      story.actors.flatMap((actor) => Array.from({ length: 20 }, () => actor.send(room))),
    )
    await vi.waitFor(() => {
      for (const client of [0, 1]) expect(story.heardBy(client)).toHaveLength(40)
    }, soon)
    // `own` and `sender` are judged with all else.
    expect(story.violations()).toEqual([])
  })

  test('two accounts with one client id do not take each other’s messages for repetitions', async () => {
    const clientId = '0123456789abcdef0123456789abcdef'
    const room = newRoom()
    const [alice, bob] = [
      await rawClient(site, 'alice', clientId),
      await rawClient(site, 'bob', clientId),
    ]
    const epochs = [await alice.join(room), await bob.join(room)]
    const send = { type: 'send', id: 2, room, epoch: epochs[0], clientId, n: 1 }
    alice.write({ ...send, data: 'of alice' })
    expect(await alice.next('ok')).toMatchObject({ id: 2, seq: 1 })
    bob.write({ ...send, data: 'of bob' })
    expect(await bob.next('ok')).toMatchObject({ id: 2, seq: 2 })
    const heard = [await alice.next('message'), await alice.next('message')]
    expect(heard.map(({ from, data }) => [from, data])).toEqual([
      ['alice', 'of alice'],
      ['bob', 'of bob'],
    ])
  })

  test('who was away for longer than the window is told so, and knows what is unknown', async () => {
    await resumeWindow(WINDOW_MS)
    cleanups.push(() => resumeWindow(LONG_WINDOW_MS))
    const away = await front()
    const story = await actors(['alice', 'bob'], [away.wsUrl], WINDOW_MS)
    const [alice, bob] = story.actors
    if (!alice || !bob) throw new Error('there are two')
    const room = newRoom()
    for (const actor of story.actors) await actor.enter(room)
    expect(await bob.send(room)).toBe('acknowledged')
    await vi.waitFor(() => expect(story.heardBy(0)).toHaveLength(1), soon)

    await away.setMode('black-hole')
    const written = alice.send(room)
    await pause(20)
    await away.setMode('absent')
    await vi.waitFor(() => expect(alice.isConnected).toBe(false), soon)
    const queued = alice.send(room)
    for (let missed = 0; missed < 3; missed++) await bob.send(room)
    await pause(WINDOW_MS * 1.5)
    // What is too old goes when something new comes.
    await bob.send(room)
    await away.setMode('pass')

    expect(await written).toBe('unknown')
    expect(await queued).toBe('acknowledged')
    expect(story.gapsOf(0)).toEqual(['window'])
    expect(await bob.send(room)).toBe('acknowledged')
    // One before, what was queued, and one after; of what was missed nothing.
    await vi.waitFor(() => expect(story.heardBy(0)).toHaveLength(3), soon)
    await vi.waitFor(() => expect(story.heardBy(1)).toHaveLength(7), soon)
    expect(story.violations()).toEqual([])
  })

  test('who comes back within the window misses nothing', async () => {
    const away = await front()
    const story = await actors(['alice', 'bob'], [away.wsUrl])
    const [alice, bob] = story.actors
    if (!alice || !bob) throw new Error('there are two')
    const room = newRoom()
    for (const actor of story.actors) await actor.enter(room)
    await away.setMode('black-hole')
    const written = alice.send(room)
    await pause(20)
    await away.setMode('absent')
    for (let missed = 0; missed < 3; missed++) await bob.send(room)
    await away.setMode('pass')
    expect(await written).toBe('acknowledged')
    await vi.waitFor(() => {
      for (const client of [0, 1]) expect(story.heardBy(client)).toHaveLength(4)
    }, soon)
    expect([story.gapsOf(0), story.violations()]).toEqual([[], []])
  })
})

interface RawFrame {
  readonly type: string
  readonly [member: string]: unknown
}

/** A connection that says what it likes. */
async function rawClient(site: Site, user: string, clientId: string) {
  const [token = ''] = await site.mint(user, 1)
  const url = `ws://127.0.0.1:${site.target()}${site.path}?client=${clientId}&connection=1`
  const socket = new WebSocket(url, ['authed-rooms.v1', 'token', token])
  cleanups.push(async () => socket.terminate())
  const frames: RawFrame[] = []
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as RawFrame))
  const next = (type: string) =>
    vi.waitFor(() => {
      const index = frames.findIndex((frame) => frame.type === type)
      const [frame] = index < 0 ? [] : frames.splice(index, 1)
      if (frame === undefined) throw new Error(`no ${type} came`)
      return frame
    }, soon)
  const write = (frame: object) => socket.send(JSON.stringify(frame))
  await next('welcome')
  return {
    next,
    write,
    async join(room: string): Promise<unknown> {
      write({ type: 'join', id: 1, rooms: [{ room }] })
      return (await next('joined'))['epoch']
    },
  }
}
