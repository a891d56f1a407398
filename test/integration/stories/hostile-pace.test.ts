/** A server that means harm, for a minute: what it says drives a dial in two seconds and a rejoin in one, at most. */
import { describe, expect, test } from 'vitest'
import { AuthedSocket, multiplexed, swap, viaSubprotocol } from '../../../src/index.ts'
import { afterStory, MINUTE, pass, SECOND, tellStories } from '../../support/story.ts'

tellStories()

const CLIENT = 'f'.repeat(32)
const WELCOME = {
  ...{ type: 'welcome', version: 1, user: 'alice', session: 's', heartbeatMs: 25_000 },
  ...{ limits: { frameBytes: 65_536, roomsPerJoin: 100 }, resumeWindowMs: 60_000 },
  features: ['presence', 'auth'],
}

interface Frame {
  readonly type: string
  readonly id: number
  readonly rooms?: readonly { readonly room: string }[]
}

/** One socket of the hostile server. */
class Peer {
  static dials = 0
  static joins = 0
  static last: Peer
  /** What it does with a frame; the welcome is answered by `greet`. */
  static answer: (frame: Frame, peer: Peer) => void = () => {}
  static greet: (peer: Peer) => void = () => {}
  readyState = 0
  binaryType = ''
  bufferedAmount = 0
  protocol = 'authed-rooms.v1'
  readonly #listeners = new Map<string, ((event: object) => void)[]>()

  constructor() {
    Peer.dials++
    Peer.last = this
    setTimeout(() => {
      this.readyState = 1
      this.#fire('open', {})
      this.say(WELCOME)
      Peer.greet(this)
    }, 20)
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  removeEventListener(): void {}

  say(frame: object): void {
    if (this.readyState === 1) this.#fire('message', { data: JSON.stringify(frame) })
  }

  send(text: string): void {
    const frame = JSON.parse(text) as Frame
    if (frame.type === 'join') Peer.joins++
    if (frame.type === 'ping') this.say({ type: 'pong', id: frame.id })
    else setTimeout(() => Peer.answer(frame, this), 5)
  }

  close(): void {
    this.readyState = 3
  }

  #fire(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event)
  }
}

const joins = ({ type, id, rooms = [] }: Frame, peer: Peer): void => {
  if (type !== 'join') return
  for (const { room } of rooms)
    peer.say({
      ...{ type: 'joined', id, room, epoch: 'e', seq: 0, recovered: true },
      ...{ version: 1, members: [] },
    })
}

const told = (options: Partial<ConstructorParameters<typeof AuthedSocket>[0]> = {}) => {
  Peer.dials = 0
  Peer.joins = 0
  Peer.answer = joins
  Peer.greet = () => {}
  let tokens = 0
  const socket = new AuthedSocket({
    url: 'ws://localhost/ws',
    auth: ({ fresh }) => {
      tokens++
      return fresh ? `secret${tokens}` : 'secret'
    },
    transmission: viaSubprotocol(),
    protocol: multiplexed(),
    // It has what is used of a socket, and no more.
    WebSocket: Peer as never,
    ...options,
  })
  afterStory(() => void socket.disconnect())
  return { socket, tokens: () => tokens }
}

const hole = (version: number) => ({
  ...{ type: 'presence', room: 'lobby', version, leaves: [] },
  joins: [{ user: 'bob', clientId: CLIENT, data: {} }],
})

/** So often in a second. */
const often = (times: number, what: () => void): void => {
  const timer = setInterval(what, SECOND / times)
  afterStory(() => clearInterval(timer))
}

describe('A server that drains', () => {
  test.each([
    ['at once, each time', (peer: Peer) => peer.say({ type: 'drain', withinMs: 0 })],
    [
      'a hundred times on each connection',
      (peer: Peer) => {
        for (let n = 0; n < 100; n++) peer.say({ type: 'drain', withinMs: n })
      },
    ],
  ])('%s is dialed once in two seconds', async (_, greet) => {
    const { socket } = told()
    Peer.greet = greet
    socket.connect()
    await pass(MINUTE)
    expect(Peer.dials).toBeGreaterThan(10)
    expect(Peer.dials).toBeLessThanOrEqual(31)
  })

  test('once is left at a moment of the time that it gives, and by the sooner one of two', async () => {
    const { socket } = told()
    socket.connect()
    await pass(10 * SECOND)
    Peer.last.say({ type: 'drain', withinMs: 10 * MINUTE })
    Peer.last.say({ type: 'drain', withinMs: 0 })
    await pass(3 * SECOND)
    expect(Peer.dials).toBe(2)
    await pass(10 * MINUTE)
    expect(Peer.dials).toBe(2)
  })
})

describe('A room is joined again once a second at most', () => {
  // Not one in exactly a second: stories have no interval of that length, see `tellStories`.
  test.each([
    [0.9, 1],
    [3, 1],
    [10, 1],
    [100, 1],
    [100, 10],
  ])('by %d times %i holes of presence a second', async (times, together) => {
    const { socket } = told()
    await Promise.all([socket.room('lobby').join({ presence: {} }), pass(SECOND)])
    let holes = 2
    often(times, () => {
      for (let n = 0; n < together; n++) Peer.last.say(hole(5 * holes++))
    })
    await pass(MINUTE)
    expect(Peer.joins).toBeGreaterThan(30)
    expect(Peer.joins).toBeLessThanOrEqual(1 + 61)
    expect(Peer.dials).toBe(1)
  })

  test('and by the first hole at once', async () => {
    const { socket } = told()
    await Promise.all([socket.room('lobby').join({ presence: {} }), pass(100)])
    Peer.last.say(hole(7))
    await pass(10)
    expect(Peer.joins).toBe(2)
  })

  test.each([0, 1])('by a join that is to be asked again after %i ms, for ever', async (ms) => {
    const { socket } = told()
    Peer.answer = ({ type, id, rooms = [] }, peer) => {
      if (type !== 'join') return
      for (const { room } of rooms)
        for (let n = 0; n < 10; n++)
          peer.say({
            ...{ type: 'error', ...(n === 0 && { id }), room, code: 'unavailable', message: 'm' },
            retryAfterMs: ms,
          })
    }
    socket.room('lobby').join()
    await pass(MINUTE)
    expect(Peer.joins).toBeGreaterThan(30)
    expect(Peer.joins).toBeLessThanOrEqual(1 + 61)
  })

  test('by a server that answers no join, however short the time for an answer is', async () => {
    const { socket } = told({ requestTimeoutMs: 10 })
    let answers = 1
    Peer.answer = (frame, peer) => (answers-- > 0 ? joins(frame, peer) : undefined)
    await Promise.all([socket.room('lobby').join({ presence: {} }), pass(SECOND)])
    Peer.last.say(hole(7))
    await pass(MINUTE)
    expect(Peer.joins).toBeLessThanOrEqual(1 + 61)
  })

  test('by holes and drains together', async () => {
    const { socket } = told()
    await Promise.all([socket.room('lobby').join({ presence: {} }), pass(SECOND)])
    let holes = 2
    often(100, () => {
      Peer.last.say(hole(5 * holes++))
      Peer.last.say({ type: 'drain', withinMs: 0 })
    })
    await pass(MINUTE)
    expect(Peer.dials).toBeLessThanOrEqual(31)
    expect(Peer.joins).toBeLessThanOrEqual(1 + 61)
  })

  test('but ten rooms each once a second, and pauses of the server are kept', async () => {
    const { socket } = told()
    let asked = 0
    Peer.answer = (frame, peer) => {
      if (frame.type !== 'join' || asked++ > 0) return joins(frame, peer)
      for (const { room } of frame.rooms ?? [])
        peer.say({
          ...{ type: 'error', id: frame.id, room, code: 'unavailable', message: 'm' },
          retryAfterMs: 20 * SECOND,
        })
    }
    const rooms = Array.from({ length: 10 }, (_, n) => socket.room(`room ${n}`))
    for (const room of rooms) room.join()
    await pass(19 * SECOND)
    expect(asked).toBe(1)
    await pass(2 * SECOND)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
  })

  test('and not at all when it was left meanwhile', async () => {
    const { socket } = told()
    Peer.answer = ({ type, id, rooms = [] }, peer) => {
      if (type === 'join')
        peer.say({
          ...{ type: 'error', id, room: rooms[0]?.room, code: 'unavailable', message: 'm' },
          retryAfterMs: 5 * SECOND,
        })
    }
    const room = socket.room('lobby')
    room.join().catch(() => {})
    await pass(SECOND)
    room.leave()
    await pass(MINUTE)
    expect(Peer.joins).toBe(1)
  })
})

describe('A server that says without end that the token expires', () => {
  test.each([
    ['a second socket', { renewal: swap() }],
    ['none', {}],
  ])('drives a dial in two seconds at most, and few tokens, by %s', async (_, options) => {
    const { socket, tokens } = told(options)
    Peer.greet = (peer) => {
      for (let n = 0; n < 100; n++) peer.say({ type: 'expiring', inMs: 1_000 })
    }
    Peer.answer = (frame, peer) => {
      joins(frame, peer)
      if (frame.type === 'auth') {
        peer.say({ type: 'ok', id: frame.id })
        Peer.greet(peer)
      }
    }
    await Promise.all([socket.room('lobby').join(), pass(SECOND)])
    await pass(MINUTE)
    expect(Peer.dials).toBeLessThanOrEqual(31)
    expect(tokens()).toBeLessThanOrEqual(31)
  })

  test('is believed once', async () => {
    const { socket, tokens } = told()
    Peer.answer = ({ type, id }, peer) => {
      if (type === 'auth') peer.say({ type: 'ok', id })
    }
    await Promise.all([socket.connect(), pass(MINUTE)])
    Peer.last.say({ type: 'expiring', inMs: 1_000 })
    await pass(100)
    expect(tokens()).toBe(2)
  })
})
