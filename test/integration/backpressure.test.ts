/** A server that reads nothing, or slowly: what is buffered is bounded, in order, and nothing is lost. On real sockets. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AuthedSocket, type AuthedSocketOptions, plain, viaQuery } from '../../src/index.ts'
import type { WebSocketConstructor } from '../../src/shell/websocket.ts'
import { RUNTIMES } from '../shell/dialing.ts'
import { serveRaw } from '../support/raw-server.ts'

const MIB = 2 ** 20
const PATIENTLY = { timeout: 30_000, interval: 5 }

const sceneOf = async (
  Native: WebSocketConstructor,
  outbox: AuthedSocketOptions['outbox'],
  connect: 'connected' | 'away' = 'connected',
) => {
  const server = await serveRaw()
  const made: { bufferedAmount?: number }[] = []
  class Spy extends Native {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols)
      made.push(this as object)
    }
  }
  const socket = new AuthedSocket({
    url: server.url,
    auth: () => (connect === 'away' ? new Promise<string>(() => {}) : 'token'),
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain({ encode: String }),
    WebSocket: Spy as unknown as WebSocketConstructor,
    ...(outbox && { outbox }),
  })
  onTestFinished(() => socket.disconnect())
  if (connect === 'connected') await socket.connect()
  else socket.connect()
  const [connection] = server.connections
  return { server, socket, connection, buffered: () => made[0]?.bufferedAmount ?? 0 }
}

interface Tally {
  resolved: number
  rejected: number
  readonly errors: Set<unknown>
}

/** Counts what became of sends as it becomes. */
const tally = (): Tally & { count(promise: Promise<unknown>): void } => {
  const counts = {
    resolved: 0,
    rejected: 0,
    errors: new Set<unknown>(),
    count: (promise: Promise<unknown>) => {
      promise.then(
        () => counts.resolved++,
        (error: { code?: unknown }) => {
          counts.rejected++
          counts.errors.add(error.code)
        },
      )
    },
  }
  return counts
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe.each(RUNTIMES)('a server that reads nothing, with $name', ({ Native }) => {
  it('bounds 200 MiB in 4 KiB by the outbox, and takes the rest once it reads', async () => {
    const outbox = { count: 100, bytes: MIB }
    const { socket, connection, buffered } = await sceneOf(Native, outbox)
    connection?.pause()
    const counts = tally()
    const frame = 'x'.repeat(4_096)
    let most = 0
    for (let sent = 0; sent < 200 * 256; sent++) {
      counts.count(socket.send(frame))
      if (sent % 16 === 0) await turn()
      most = Math.max(most, buffered())
    }
    await turn()
    const waiting = 200 * 256 - counts.resolved - counts.rejected
    expect(most).toBeLessThanOrEqual(MIB)
    expect(buffered() + waiting * 4_096).toBeLessThanOrEqual(MIB + 4_096)
    expect(waiting).toBeGreaterThan(10)
    expect([...counts.errors]).toEqual(['OUTBOX_FULL'])
    const volatile = await socket.send('now', { volatile: true }).catch((error: unknown) => error)
    expect(volatile).toMatchObject({ code: 'OUTBOX_FULL' })
    connection?.resume()
    const taken = counts.resolved + waiting
    await vi.waitFor(() => expect(connection?.frames.length).toBe(taken), PATIENTLY)
    expect([counts.resolved, buffered()]).toEqual([taken, 0])
  })

  it('keeps the order of what waits, of any size, without a drain event', async () => {
    const { socket, connection } = await sceneOf(Native, { count: 5_000, bytes: 64 * 1_024 })
    connection?.pause()
    const counts = tally()
    const sent: string[] = []
    for (let n = 0; counts.rejected === 0; n++) {
      const frame = `${n} ${'x'.repeat(n % 3 === 0 ? 9_000 : 10)}`
      const before = counts.rejected
      counts.count(socket.send(frame))
      await turn()
      if (counts.rejected === before) sent.push(frame)
    }
    connection?.resume()
    await vi.waitFor(() => expect(connection?.frames.length).toBe(sent.length), PATIENTLY)
    expect(connection?.frames).toEqual(sent)
    expect(counts.resolved).toBe(sent.length)
  })

  it('never refuses what is awaited in turn and fits the outbox', async () => {
    const { socket, connection } = await sceneOf(Native, { bytes: 100_000 })
    for (let n = 0; n < 100; n++) await socket.send('x'.repeat(99_000))
    await vi.waitFor(() => expect(connection?.frames).toHaveLength(100), PATIENTLY)
  })
})

describe.each(RUNTIMES)('one frame larger than the outbox, with $name', ({ Native }) => {
  it.each([{ bytes: 1_000 }, { bytes: 0 }, { count: 0 }, { count: 0, bytes: 0 }])(
    'is sent on an open socket with nothing buffered (%j)',
    async (outbox) => {
      const { socket, connection } = await sceneOf(Native, outbox)
      await socket.send('x'.repeat(3 * MIB))
      await vi.waitFor(() => expect(connection?.frames[0]?.length).toBe(3 * MIB), PATIENTLY)
    },
  )

  it('is refused without a connection, in a text with both sizes', async () => {
    const { socket } = await sceneOf(Native, { bytes: 1_000 }, 'away')
    const error = await socket.send('x'.repeat(2_345)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'OUTBOX_FULL' })
    expect(String(error)).toMatch(/2345.*1000/)
  })
})

describe('what is full is said', () => {
  it.each([
    ['the queue', { count: 2 }, ['a', 'b', 'c'], /2 frames.*connect/],
    ['the queue, in bytes', { bytes: 10 }, ['12345678', '12345678'], /8 bytes.*10/],
    ['a queue that takes nothing', { count: 0 }, ['a'], /outbox.count.*0/],
  ] as const)('%s', async (_, outbox, frames, text) => {
    const [{ Native }] = RUNTIMES as [(typeof RUNTIMES)[number]]
    const { socket } = await sceneOf(Native, outbox, 'away')
    const errors = await Promise.all(
      frames.map((frame) =>
        Promise.race([socket.send(frame).catch((error: unknown) => error), turn()]),
      ),
    )
    expect(String(errors.at(-1))).toMatch(text)
  })

  it('the buffer of the socket', async () => {
    const [{ Native }] = RUNTIMES as [(typeof RUNTIMES)[number]]
    const { socket, connection } = await sceneOf(Native, { bytes: 10_000 })
    connection?.pause()
    let error: unknown
    while (error === undefined) {
      socket.send('x'.repeat(5_000)).catch((reason: unknown) => {
        error ??= reason
      })
      await turn()
    }
    expect(String(error)).toMatch(/buffer.*\d+ bytes.*10000/)
  })
})
