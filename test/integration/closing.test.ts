/**
 * The server says close, and its TCP connection stays: what is sent then goes to the next connection or is
 * rejected, and the code decides what follows. On real sockets.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  isAuthedSocketError,
  multiplexed,
  plain,
  roomPerSocket,
  swap,
  viaQuery,
} from '../../src/index.ts'
import type { WebSocketConstructor } from '../../src/shell/websocket.ts'
import { RUNTIMES } from '../shell/dialing.ts'
import { type RawConnection, serveRaw } from '../support/raw-server.ts'

const CODES = [4003, 1012, 4403] as const
/** A look at an open socket each second, two for the close, and the time of a busy machine; `ws` itself gives up after 30. */
const PROMPTLY = { timeout: 20_000, interval: 5 }

const ANSWERED = plain({
  correlate: {
    request: (type, _payload, id) => ({ type, id }),
    answer: (frame) =>
      typeof frame === 'object' && frame !== null && 'answer' in frame
        ? { id: Number(frame.answer), ok: true, data: 'done' }
        : undefined,
  },
})

/** Of every socket that is made, so that a test can see what the package sees. */
const spied = (Native: WebSocketConstructor) => {
  const made: { readonly readyState: number }[] = []
  class Spy extends Native {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols)
      made.push(this)
    }
  }
  return { Spy, made }
}

interface Scene {
  readonly socket: AuthedSocket
  readonly server: Awaited<ReturnType<typeof serveRaw>>
  readonly asked: boolean[]
  readonly codes: number[]
  /** The first connection says close, and the client's socket has heard it. */
  closing(code: number): Promise<void>
}

const sceneOf = async (
  Native: WebSocketConstructor,
  options: Partial<AuthedSocketOptions>,
  serve?: (connection: RawConnection) => void,
): Promise<Scene> => {
  const server = await serveRaw(serve)
  const { Spy, made } = spied(Native)
  const asked: boolean[] = []
  const codes: number[] = []
  const socket = new AuthedSocket({
    url: `${server.url}{room}`,
    auth: ({ fresh }) => {
      asked.push(fresh)
      return `token-${asked.length}`
    },
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    // Both give what they promise: their own types are narrower.
    WebSocket: Spy as unknown as WebSocketConstructor,
    fetch: () => Promise.reject(new TypeError('no host')),
    retry: { scale: 0.02 },
    settleMs: 20,
    ...options,
  })
  onTestFinished(() => socket.disconnect())
  socket.on('disconnected', ({ code }) => codes.push(code))
  const closing = async (code: number) => {
    server.connections[0]?.sayClose(code)
    await vi.waitFor(() => expect(made[0]?.readyState).toBeGreaterThan(1), PROMPTLY)
  }
  return { socket, server, asked, codes, closing }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 60))

const outcomeOf = (promise: Promise<unknown>) => {
  const outcome: { is: unknown } = { is: 'open' }
  promise.then(
    () => {
      outcome.is = 'done'
    },
    (error: unknown) => {
      outcome.is = isAuthedSocketError(error) ? error.code : error
    },
  )
  return outcome
}

describe.each(RUNTIMES)('a socket of $name that has begun to close', ({ name, Native }) => {
  it.each(CODES)('takes nothing after %i, and the code decides', async (code) => {
    const { socket, server, asked, codes, closing } = await sceneOf(Native, {})
    await socket.connect()
    await settled()
    await closing(code)
    const outcomes = [1, 2, 3].map((n) => outcomeOf(socket.send(n)))
    const volatile = outcomeOf(socket.send('now', { volatile: true }))
    expect(socket.state).not.toBe('connected')
    await vi.waitFor(() => expect(codes).toHaveLength(1), PROMPTLY)
    expect(codes).toEqual([name === 'ws' ? code : 1006])
    if (name === 'ws' && code === 4403) {
      await vi.waitFor(() => expect(socket.state).toBe('failed'), PROMPTLY)
      expect(outcomes.map(({ is }) => is)).toEqual(Array(3).fill('SERVER_CLOSED'))
      return
    }
    await vi.waitFor(
      () => expect(outcomes.map(({ is }) => is)).toEqual(Array(3).fill('done')),
      PROMPTLY,
    )
    expect(volatile.is).toBe('NOT_CONNECTED')
    await vi.waitFor(() => expect(server.connections[1]?.frames).toEqual(['1', '2', '3']), PROMPTLY)
    expect(server.connections[0]?.frames).toEqual([])
    // A rejection asks for a fresh token, and a restart does not.
    expect(asked).toEqual([false, name === 'ws' && code === 4003])
  })

  it('is noticed within a second where nothing is sent', async () => {
    const { socket, codes, closing } = await sceneOf(Native, {})
    await socket.connect()
    await closing(1012)
    await vi.waitFor(() => expect(socket.state).not.toBe('connected'), PROMPTLY)
    await vi.waitFor(() => expect(codes).toHaveLength(1), PROMPTLY)
  })

  it('tells its code late: when TCP ends meanwhile', async () => {
    const { socket, server, codes, closing } = await sceneOf(Native, {})
    await socket.connect()
    await closing(1012)
    socket.send(1)
    server.connections[0]?.end()
    await vi.waitFor(() => expect(codes).toEqual([1012]), PROMPTLY)
  })

  it('keeps a request that was not written, and does not call it unknown', async () => {
    const { socket, server, closing } = await sceneOf(Native, { protocol: ANSWERED })
    await socket.connect()
    const written = outcomeOf(socket.request('before', 0))
    await vi.waitFor(() => expect(server.frames).toHaveLength(1), PROMPTLY)
    await closing(1012)
    const outcome = outcomeOf(socket.request('after', 0))
    await vi.waitFor(() => expect(server.connections[1]?.frames).toHaveLength(1), PROMPTLY)
    const frame = JSON.parse(server.connections[1]?.frames[0] ?? '') as { id: number }
    expect(frame).toMatchObject({ type: 'after' })
    expect(written.is).toBe('SEND_UNKNOWN')
    server.connections[1]?.send(JSON.stringify({ answer: frame.id }))
    await vi.waitFor(() => expect(outcome.is).toBe('done'), PROMPTLY)
  })

  it('is left by a heartbeat, too', async () => {
    const heartbeat = { frame: 'ping', everyMs: 40, timeoutMs: 60_000 }
    const { socket, server, codes } = await sceneOf(Native, { protocol: plain({ heartbeat }) })
    await socket.connect()
    await vi.waitFor(() => expect(server.frames).toContain('"ping"'), PROMPTLY)
    server.connections[0]?.sayClose(1012)
    await vi.waitFor(() => expect(codes).toEqual([name === 'ws' ? 1012 : 1006]), PROMPTLY)
    await vi.waitFor(() => expect(server.connections[1]?.frames).toContain('"ping"'), PROMPTLY)
  })

  it('that had not been accepted yet is judged by its code as well', async () => {
    const { socket, asked, codes } = await sceneOf(
      Native,
      { protocol: plain(), connectTimeoutMs: 8_000 },
      (connection) => {
        if (connection.number === 1) connection.sayClose(4003)
      },
    )
    socket.connect()
    const sent = outcomeOf(socket.send('held'))
    await socket.connect()
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1), PROMPTLY)
    expect([asked[1], codes]).toEqual([name === 'ws', []])
    await vi.waitFor(() => expect(sent.is).toBe('done'), PROMPTLY)
  })
})

describe.each(RUNTIMES)('a room with a socket of its own, of $name', ({ name, Native }) => {
  it.each(CODES)('sends nothing into a socket that said %i', async (code) => {
    const { socket, server, closing } = await sceneOf(Native, { protocol: roomPerSocket() })
    const room = await socket.join('lobby')
    await settled()
    await closing(code)
    const outcome = outcomeOf(room.send(1))
    const volatile = outcomeOf(room.send(2, { volatile: true }))
    expect(room.state).toBe('joining')
    if (name === 'ws' && code === 4403) {
      await vi.waitFor(() => expect(room.state).toBe('refused'), PROMPTLY)
      expect(outcome.is).not.toBe('done')
      return
    }
    await vi.waitFor(
      () => expect([outcome.is, volatile.is]).toEqual(['done', 'NOT_CONNECTED']),
      PROMPTLY,
    )
    await vi.waitFor(() => expect(server.connections[1]?.frames).toEqual(['1']), PROMPTLY)
    expect(room.state).toBe('joined')
  })
})

const WELCOME = JSON.stringify({
  type: 'welcome',
  version: 1,
  user: 'ann',
  heartbeatMs: 25_000,
  resumeWindowMs: 60_000,
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
})

describe.each(RUNTIMES)('a shared socket of $name', ({ name, Native }) => {
  /** As much of the rooms protocol as a join and a send take. */
  const serve = (connection: RawConnection): void => {
    connection.send(WELCOME)
    const answer = setInterval(() => {
      for (const text of connection.frames.splice(0)) {
        const frame = JSON.parse(text) as { type: string; id: number; rooms?: { room: string }[] }
        for (const { room } of frame.rooms ?? [])
          connection.send(
            JSON.stringify({
              type: 'joined',
              id: frame.id,
              room,
              epoch: 'e',
              seq: 0,
              recovered: true,
            }),
          )
        if (frame.type === 'send')
          connection.send(JSON.stringify({ type: 'ok', id: frame.id, seq: 1 }))
      }
    }, 2)
    onTestFinished(() => clearInterval(answer))
  }

  it.each([4003, 1012] as const)('sends and joins on the next one after %i', async (code) => {
    const { socket, server, codes, closing } = await sceneOf(
      Native,
      { protocol: multiplexed() },
      serve,
    )
    const room = await socket.join('lobby')
    await settled()
    await closing(code)
    const outcome = outcomeOf(room.send(1))
    const joined = outcomeOf(socket.join('other'))
    await vi.waitFor(() => expect([outcome.is, joined.is]).toEqual(['done', 'done']), PROMPTLY)
    expect(codes).toEqual([name === 'ws' ? code : 1006])
    expect(server.frames.filter((text) => text.includes('"send"'))).toHaveLength(1)
  })

  it('that swaps lets go of a second socket that has begun to close, and stays', async () => {
    const { socket, server, codes } = await sceneOf(
      Native,
      {
        protocol: multiplexed(),
        renewal: swap(),
        auth: () => ({ token: `t${Math.random()}`, expiresInMs: 1_500 }),
      },
      (connection) => {
        if (connection.number !== 2) serve(connection)
        else connection.sayClose(4003)
      },
    )
    const room = await socket.join('lobby')
    await vi.waitFor(() => expect(server.connections).toHaveLength(2), PROMPTLY)
    await expect(room.send('on the first one')).resolves.toMatchObject({ seq: 1 })
    expect(codes).toEqual([])
    expect(socket.state).toBe('connected')
  })
})
