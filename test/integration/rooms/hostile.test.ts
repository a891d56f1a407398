/** A server that is broken, or means harm: errors with a type, rules for the socket, and no crash. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { AuthedSocket, type Gap, multiplexed, viaSubprotocol } from '../../../src/index.ts'

const within = { timeout: 30_000, interval: 10 }
const CLIENT = 'f'.repeat(32)

type Frame = { type: string; id: number; rooms: { room: string }[] }

const WELCOME = {
  type: 'welcome',
  version: 1,
  user: 'alice',
  session: 's',
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
  heartbeatMs: 25_000,
  resumeWindowMs: 60_000,
  features: ['presence', 'history'],
}

interface Hostile {
  readonly socket: AuthedSocket
  readonly peers: WebSocket[]
  readonly errors: unknown[]
  say(frame: unknown): void
}

/** Welcomes, and does with everything else what the test says. */
const hostile = async (
  answer: (frame: Frame, say: (frame: unknown) => void, peer: WebSocket) => void,
): Promise<Hostile> => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const peers: WebSocket[] = []
  server.on('connection', (peer) => {
    peers.push(peer)
    const say = (frame: unknown) =>
      peer.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    say(WELCOME)
    peer.on('message', (data) => answer(JSON.parse(String(data)), say, peer))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const socket = new AuthedSocket({
    url: `ws://127.0.0.1:${address.port}/`,
    auth: () => 'secret',
    transmission: viaSubprotocol(),
    protocol: multiplexed(),
    retry: { scale: 0.01 },
    requestTimeoutMs: 300,
  })
  const errors: unknown[] = []
  socket.on('error', (error) => errors.push(error))
  onTestFinished(async () => {
    await socket.disconnect()
    for (const peer of peers) peer.terminate()
    await new Promise((resolve) => server.close(resolve))
  })
  const say = (frame: unknown) => {
    const peer = peers.at(-1)
    peer?.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }
  return { socket, peers, errors, say }
}

/** Joins whatever is asked for. */
const joins = ({ type, id, rooms }: Frame, say: (frame: unknown) => void): void => {
  if (type !== 'join') return
  for (const { room } of rooms)
    say({ type: 'joined', id, room, epoch: 'e', seq: 0, recovered: false })
}

const message = (seq: unknown, data: unknown = seq) => ({
  ...{ type: 'message', room: 'lobby', seq, from: 'bob', clientId: CLIENT, n: 1, at: 1, data },
})

describe('A server that sends', () => {
  test.each<[string, unknown, number]>([
    ['a frame of a type that nobody knows', { type: 'later', data: 1 }, 0],
    ['no type', {}, 1],
    ['an array', [], 1],
    ['no JSON', '{"type":', 1],
    ['a type by inheritance', '{"__proto__":{"type":"message"}}', 1],
    ['a message without a room', { ...message(1), room: undefined }, 1],
    ['a negative number', message(-1), 1],
    ['a number beyond 2^53', message(2 ** 60), 1],
    ['a number that is text', message('1'), 1],
    ['an answer to a request never made', { type: 'ok', id: 999, seq: 1 }, 0],
    ['an error to a request never made', { type: 'error', id: 999, code: 'x', message: 'y' }, 1],
    [
      'a room never asked for',
      { type: 'joined', room: 'cellar', epoch: 'e', seq: 1, recovered: true },
      0,
    ],
    ['a message of a room never joined', { ...message(1), room: 'cellar' }, 0],
    ['a room named __proto__', { ...message(1), room: '__proto__' }, 0],
    [
      'presence of a room never joined',
      { type: 'presence', room: 'x', version: 1, joins: [], leaves: [] },
      0,
    ],
    ['a second welcome', WELCOME, 0],
    ['a welcome of another version', { ...WELCOME, version: 2 }, 1],
    ['deep brackets', '['.repeat(50_000), 1],
  ])('%s is told by at most an error, and the room goes on', async (_, frame, count) => {
    const { socket, errors, peers, say } = await hostile(joins)
    const data: unknown[] = []
    const room = socket.room('lobby')
    room.on('message', (heard) => data.push(heard.data))
    await room.join()
    say(frame)
    say(message(1, 'still here'))
    await vi.waitFor(() => expect(data).toEqual(['still here']), within)
    expect(errors).toHaveLength(count)
    for (const error of errors) expect(error).toBeInstanceOf(Error)
    expect([peers.length, room.state, socket.state]).toEqual([1, 'joined', 'connected'])
  })

  test('invalid UTF-8 loses the socket, by RFC 6455, and comes back', async () => {
    const { socket, peers } = await hostile(joins)
    await socket.join('lobby')
    const raw = peers[0] as unknown as { _socket: { write(bytes: Buffer): void } }
    // A text frame of two bytes that are no UTF-8; `ws` itself would not send it.
    raw._socket.write(Buffer.from([0x81, 0x02, 0xc3, 0x28]))
    await vi.waitFor(() => expect(peers).toHaveLength(2), within)
    await vi.waitFor(() => expect(socket.room('lobby').state).toBe('joined'), within)
  })

  test('numbers with holes is told of each, and every message is delivered', async () => {
    const { socket, say } = await hostile(joins)
    const seqs: unknown[] = []
    const gaps: Gap[] = []
    const room = socket.room('lobby')
    room.on('message', ({ meta }) => seqs.push(meta.seq))
    room.on('gap', (gap) => gaps.push(gap))
    await room.join()
    for (const seq of [1, 2, 5, 5, 3, 6, 2 ** 53 - 1, 7]) say(message(seq))
    await vi.waitFor(() => expect(seqs).toEqual([1, 2, 5, 6, 2 ** 53 - 1]), within)
    expect(gaps).toEqual([{ reason: 'hole' }, { reason: 'hole' }])
  })

  test('100,000 rooms that nobody asked for costs nothing', async () => {
    const { socket, say, errors } = await hostile(joins)
    const data: unknown[] = []
    const room = socket.room('lobby')
    room.on('message', (heard) => data.push(heard.data))
    await room.join()
    for (let n = 0; n < 100_000; n++) {
      if (n % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve))
      say({ type: 'joined', room: `r${n}`, epoch: 'e', seq: 0, recovered: false })
    }
    say(message(1, 'last'))
    await vi.waitFor(() => expect(data).toEqual(['last']))
    expect(errors).toEqual([])
  })

  test('changes of presence with a hole is asked for the whole list', async () => {
    let lists = 0
    const { socket, say } = await hostile(({ type, id, rooms }, answer) => {
      if (type !== 'join') return
      lists++
      for (const { room } of rooms)
        answer({
          ...{ type: 'joined', id, room, epoch: 'e', seq: 0, recovered: true },
          version: lists * 10,
          members: [{ user: `user ${lists}`, clientId: CLIENT, data: {} }],
        })
    })
    const room = socket.room('lobby')
    await room.join({ presence: {} })
    const change = (version: number) => ({
      ...{ type: 'presence', room: 'lobby', version, leaves: [] },
      joins: [{ user: 'bob', clientId: 'a'.repeat(32), data: {} }],
    })
    say(change(11))
    await vi.waitFor(() => expect(room.members.map(({ user }) => user)).toEqual(['user 1', 'bob']))
    say(change(15))
    await vi.waitFor(() => expect(room.members.map(({ user }) => user)).toEqual(['user 2']), within)
    expect(lists).toBe(2)
  })
})

describe('A server that', () => {
  test('answers no join refuses a room the first time, and is asked again for one that was joined', async () => {
    let asked = 0
    const { socket } = await hostile((frame, say) => {
      if (frame.type === 'join' && ++asked !== 2 && asked !== 4) joins(frame, say)
    })
    const room = socket.room('lobby')
    await room.join()
    await expect(socket.join('silent')).rejects.toMatchObject({ serverCode: 'timeout' })
    expect(room.state).toBe('joined')
  })

  test('wants a join later is asked again then, and the room is not refused', async () => {
    let asked = 0
    const { socket, errors } = await hostile((frame, say) => {
      if (frame.type !== 'join') return
      if (asked++ > 0) joins(frame, say)
      else
        for (const { room } of frame.rooms)
          say({
            type: 'error',
            id: frame.id,
            room,
            code: 'unavailable',
            message: 'm',
            retryAfterMs: 50,
          })
    })
    await socket.join('lobby')
    expect([asked, errors]).toEqual([2, []])
  })

  test('takes a send for one of an earlier connection is dialed anew, after a pause', async () => {
    const { socket, peers } = await hostile((frame, say) => {
      joins(frame, say)
      if (frame.type !== 'send') return
      if (peers.length === 1) say({ type: 'error', id: frame.id, code: 'superseded', message: 'm' })
      else say({ type: 'ok', id: frame.id, seq: 1 })
    })
    const room = await socket.join('lobby')
    await expect(room.send('hi')).resolves.toMatchObject({ seq: 1 })
    expect(peers).toHaveLength(2)
  })

  test('refuses a repetition leaves the send unknown', async () => {
    let sends = 0
    const { socket } = await hostile((frame, say, peer) => {
      joins(frame, say)
      if (frame.type !== 'send') return
      if (++sends === 1) peer.terminate()
      else say({ type: 'error', id: frame.id, code: 'forbidden', message: 'm' })
    })
    const room = await socket.join('lobby')
    await expect(room.send('hi')).rejects.toMatchObject({
      code: 'SEND_UNKNOWN',
      cause: { serverCode: 'forbidden' },
    })
  })
})

describe('A room that was left and joined again before anything was answered', () => {
  /** Collects the ids of the joins, and answers none. */
  const asking = async () => {
    const ids: number[] = []
    const server = await hostile(({ type, id }) => {
      if (type === 'join') ids.push(id)
    })
    await server.socket.connect()
    const room = server.socket.room('lobby')
    const heard: unknown[] = []
    const gaps: Gap[] = []
    room.on('message', ({ data }) => heard.push(data))
    room.on('gap', (gap) => gaps.push(gap))
    room.join().catch(() => {})
    await vi.waitFor(() => expect(ids).toHaveLength(1), within)
    room.leave()
    const joined = room.join()
    await vi.waitFor(() => expect(ids).toHaveLength(2), within)
    const [first, second] = ids
    return { ...server, room, joined, heard, gaps, first, second }
  }
  const answer = (id: number | undefined, seq: number) => ({
    ...{ type: 'joined', id, room: 'lobby', epoch: 'e', seq, recovered: false },
  })

  test('is joined by the answer to the second question', async () => {
    const { say, room, joined, heard, gaps, first, second } = await asking()
    say(answer(first, 5))
    say(message(6))
    // Here the server has read that the room was left, and another message was sent.
    say(answer(second, 7))
    say(message(8))
    await joined
    await vi.waitFor(() => expect(heard).toEqual([8]), within)
    expect([gaps, room.state]).toEqual([[], 'joined'])
  })

  test('is not refused by an error about something else', async () => {
    const { say, room, joined, second } = await asking()
    say({ type: 'error', id: 999, room: 'lobby', code: 'stale-epoch', message: 'a send of before' })
    say(answer(second, 0))
    await joined
    expect(room.state).toBe('joined')
  })
})
