/** A link that is dead and looks open, and one that only seems to be dead. On real sockets. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket as WsSocket } from 'ws'
import { type AuthedSocketOptions, plain } from '../../src/index.ts'
import { type BareServer, RUNTIMES, startBareServer } from '../shell/dialing.ts'
import { block } from '../support/block.ts'
import { boundToUs, end, signal } from '../support/children.ts'
import { startFront } from '../support/front.ts'
import { turn } from '../support/story.ts'
import { watched } from './bad-input-support.ts'

const SOON = { timeout: 30_000, interval: 5 }

const bareServer = async (): Promise<BareServer> => {
  const server = await startBareServer()
  onTestFinished(() => server.close())
  return server
}

/** Drops what is quiet for so long, in either direction, as nginx does. */
const idleProxy = async (
  target: number,
  idleMs: number,
): Promise<{ url: string; cuts: number }> => {
  const proxy = { url: '', cuts: 0 }
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1')
    const cut = () => {
      client.destroy()
      server.destroy()
    }
    const idle = setTimeout(() => {
      proxy.cuts += 1
      cut()
    }, idleMs)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => {
        idle.refresh()
        to.write(chunk)
      })
      from.on('error', cut)
      from.on('close', () => {
        clearTimeout(idle)
        cut()
      })
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  proxy.url = `ws://127.0.0.1:${(listener.address() as AddressInfo).port}/`
  return proxy
}

/** What the client sends takes its time here, behind kernels that took it at once. @param rate bytes in a ms */
const slowProxy = async (target: number, rate: number): Promise<{ url: string; taken: number }> => {
  const STEP_MS = 20
  const proxy = { url: '', taken: 0 }
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay()
    let waiting = Buffer.alloc(0)
    const pump = setInterval(() => {
      server.write(waiting.subarray(0, rate * STEP_MS))
      waiting = waiting.subarray(rate * STEP_MS)
    }, STEP_MS)
    client.on('data', (chunk) => {
      proxy.taken += chunk.length
      waiting = Buffer.concat([waiting, chunk])
    })
    server.on('data', (chunk) => client.write(chunk))
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        clearInterval(pump)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  proxy.url = `ws://127.0.0.1:${(listener.address() as AddressInfo).port}/`
  return proxy
}

const beating = (everyMs: number, timeoutMs?: number): Partial<AuthedSocketOptions> => ({
  protocol: plain({
    encode: String,
    heartbeat: {
      frame: 'ping',
      everyMs,
      ...(timeoutMs !== undefined && { timeoutMs }),
      answer: (frame) => frame === 'ping',
    },
  }),
})

describe.each(RUNTIMES)('behind a proxy that drops what is quiet, with $name', ({ Native }) => {
  const IDLE_MS = 600
  it.each([
    ['without a timeout', IDLE_MS / 4, undefined, 0],
    ['with a long one', IDLE_MS / 4, 60_000, 0],
    // The control.
    ['that begins too late', 4 * IDLE_MS, 60_000, 1],
  ])('a heartbeat that nothing answers, %s', async (_, everyMs, timeoutMs, cuts) => {
    const server = await bareServer()
    const proxy = await idleProxy(server.port, IDLE_MS)
    const { socket } = watched({
      url: proxy.url,
      WebSocket: Native,
      ...beating(everyMs, timeoutMs),
    })
    await socket.connect()
    const pings = () => server.received.filter((frame) => frame === 'ping').length
    if (cuts === 0) await expect.poll(pings, SOON).toBeGreaterThan(12)
    else await expect.poll(() => proxy.cuts, SOON).toBeGreaterThanOrEqual(cuts)
    if (cuts === 0) expect([proxy.cuts, server.handshakes.length]).toEqual([0, 1])
  })
})

describe('the first ping of a heartbeat', () => {
  it.each([false, true])('waits everyMs from the open (the server greets: %s)', async (greets) => {
    const server = await bareServer()
    const { socket } = watched({ url: server.url, ...beating(1_000, 250) })
    let pingedAt = 0
    await socket.connect()
    const openedAt = performance.now()
    if (greets) server.sockets[0]?.send('hello')
    server.sockets[0]?.on('message', () => {
      pingedAt ||= performance.now()
    })
    await expect.poll(() => pingedAt, SOON).toBeGreaterThan(0)
    // A timer may ring a moment early.
    expect(pingedAt - openedAt).toBeGreaterThan(950)
  })
})

const ECHOED_PORT = 'console.log(server.address().port)'
/** It echoes 50 ms later, from a thread or a process of its own. */
const ECHO = `
const { WebSocketServer } = require('ws')
const { parentPort } = require('node:worker_threads')
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => parentPort.postMessage(server.address().port))
server.on('connection', (socket) => {
  socket.on('message', (data) => setTimeout(() => socket.send(String(data)), 50))
})`

describe('a thread that was busy', () => {
  it.each([
    [400, 300, 500],
    [400, 300, 900],
    [300, 300, 320],
    [300, 900, 1_200],
  ])(
    'is no dead peer: everyMs %i, timeoutMs %i, busy for %i ms',
    async (everyMs, timeoutMs, ms) => {
      const worker = new Worker(ECHO, { eval: true })
      onTestFinished(async () => void (await worker.terminate()))
      const port = await new Promise<number>((resolve) => worker.once('message', resolve))
      let pinged = 0
      class Spy extends WsSocket {
        override send(...args: never[]) {
          pinged += 1
          // @ts-expect-error: whatever it is called with
          super.send(...args)
        }
      }
      const { socket, states } = watched({
        url: `ws://127.0.0.1:${port}/`,
        WebSocket: Spy,
        ...beating(everyMs, timeoutMs),
      })
      await socket.connect()
      for (let round = 1; round <= 3; round += 1) {
        const before = pinged
        await expect.poll(() => pinged, SOON).toBeGreaterThan(before)
        block(ms)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      expect(states).not.toContain('waiting')
    },
  )
})

/** Timers are ours from here on, sockets stay real. */
const virtualTime = () => {
  vi.useFakeTimers({
    now: Date.now(),
    toFake: [
      ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
      ...(['Date', 'performance'] as const),
    ],
  })
}
afterEach(() => {
  vi.useRealTimers()
})

/** In steps of 100 ms, between which sockets have turns. @returns how long it took */
const passUntil = async (isSo: () => boolean, withinMs: number): Promise<number> => {
  const since = Date.now()
  while (!isSo() && Date.now() - since < withinMs) {
    vi.advanceTimersByTime(100)
    for (let turns = 0; turns < 5; turns += 1) await turn()
  }
  return Date.now() - since
}

const REFERENCE = { settleMs: 5_000, retry: { scale: 1 } }

describe('with ws, without any option', () => {
  it('a dead link is found within 20 s, and let go of', async () => {
    const server = await bareServer()
    const front = await startFront({ target: server.port })
    onTestFinished(() => front.close())
    const { socket, states } = watched({ url: front.wsUrl, WebSocket: WsSocket, ...REFERENCE })
    virtualTime()
    const connected = socket.connect()
    await passUntil(() => socket.state === 'connected', 5_000)
    await connected
    // It answers for a while.
    await passUntil(() => false, 61_000)
    expect(states).not.toContain('waiting')
    await front.setMode('black-hole')
    const took = await passUntil(() => socket.state !== 'connected', 60_000)
    expect(took).toBeLessThanOrEqual(20_000)
    expect(socket.status).toMatchObject({ state: 'waiting', error: { code: 'HANDSHAKE_REFUSED' } })
  })

  it('and never later, whenever it dies', async () => {
    const server = await bareServer()
    const front = await startFront({ target: server.port })
    onTestFinished(() => front.close())
    virtualTime()
    for (const agoMs of [0, 2_000, 4_000, 7_900]) {
      const { socket } = watched({ url: front.wsUrl, WebSocket: WsSocket, ...REFERENCE })
      socket.connect()
      await passUntil(() => socket.state === 'connected', 5_000)
      server.sockets.at(-1)?.send('"now"')
      await passUntil(() => false, agoMs)
      await front.setMode('black-hole')
      const took = await passUntil(() => socket.state !== 'connected', 60_000)
      expect(took).toBeLessThanOrEqual(20_000)
      await socket.disconnect()
      await front.setMode('pass')
    }
  })

  it('nor where a lot is sent, and nothing comes back but pongs', async () => {
    const server = await bareServer()
    const front = await startFront({ target: server.port })
    onTestFinished(() => front.close())
    const { socket } = watched({ url: front.wsUrl, WebSocket: WsSocket, ...REFERENCE })
    virtualTime()
    socket.connect()
    await passUntil(() => socket.state === 'connected', 5_000)
    const data = 'x'.repeat(65_536)
    for (let second = 1; second <= 30; second += 1) {
      socket.send(data)
      // Our clock is faster than what kernels do.
      await expect.poll(() => server.received.length, { interval: 1 }).toBe(second)
      await passUntil(() => false, 1_000)
    }
    expect(socket.state).toBe('connected')
    await front.setMode('black-hole')
    const sending = setInterval(() => void socket.send(data), 1_000)
    const took = await passUntil(() => socket.state !== 'connected', 120_000)
    clearInterval(sending)
    expect(took).toBeLessThanOrEqual(20_000)
  })

  it.each([
    ['at once', 1],
    ['in pieces', 16],
  ])('an upload of 1 MiB at 50 kB/s, %s, is no silence', async (_, pieces) => {
    const server = await bareServer()
    virtualTime()
    const proxy = await slowProxy(server.port, 50)
    const { socket, states } = watched({ url: proxy.url, WebSocket: WsSocket, ...REFERENCE })
    socket.connect()
    await passUntil(() => socket.state === 'connected', 5_000)
    for (const waitMs of [0, 1_000, 7_500]) {
      await passUntil(() => false, waitMs)
      const before = server.received.length
      const end = proxy.taken + 2 ** 20 - 1_000 * pieces
      for (let piece = 0; piece < pieces; piece += 1) socket.send('x'.repeat(2 ** 20 / pieces - 64))
      // Our clock is faster than what kernels do.
      await expect.poll(() => proxy.taken, { interval: 1 }).toBeGreaterThan(end)
      const took = await passUntil(() => server.received.length === before + pieces, 60_000)
      expect(took).toBeGreaterThan(20_000)
    }
    expect(states).not.toContain('waiting')
    expect(server.handshakes).toHaveLength(1)
  })

  it('a quiet one is not quiet for 30 s', async () => {
    const server = await bareServer()
    const { socket, states } = watched({ url: server.url, WebSocket: WsSocket, ...REFERENCE })
    virtualTime()
    socket.connect()
    await passUntil(() => socket.state === 'connected', 5_000)
    let last = Date.now()
    let longest = 0
    server.sockets[0]?.on('ping', () => {
      longest = Math.max(longest, Date.now() - last)
      last = Date.now()
    })
    await passUntil(() => false, 300_000)
    expect(Date.now() - last).toBeLessThan(15_000)
    expect(longest).toBeLessThan(15_000)
    expect(states).not.toContain('waiting')
    expect(server.handshakes).toHaveLength(1)
  })

  it('a long frame that comes slowly is a sign of life', async () => {
    const server = await bareServer()
    const { socket, events } = watched({ url: server.url, WebSocket: WsSocket, ...REFERENCE })
    virtualTime()
    socket.connect()
    await passUntil(() => socket.state === 'connected', 5_000)
    const accepted = server.sockets[0]
    // It would come within the frame.
    if (accepted) accepted.pong = () => {}
    // @ts-expect-error: `ws` has no other way to write part of a frame
    const raw: Socket = accepted._socket
    const length = 60_000
    raw.write(Buffer.from([0x81, 126, length >> 8, length & 255]))
    for (let second = 0; second < 60; second += 1) {
      raw.write('1'.repeat(length / 60))
      await passUntil(() => false, 1_000)
    }
    await passUntil(() => events.some(([name]) => name === 'message'), 5_000)
    expect(events.filter(([name]) => name === 'message')).toHaveLength(1)
    expect(server.handshakes).toHaveLength(1)
  })
})

describe('with ws, after a sleep', () => {
  const scene = async () => {
    const server = await bareServer()
    const front = await startFront({ target: server.port })
    onTestFinished(() => front.close())
    const { socket, states } = watched({ url: front.wsUrl, WebSocket: WsSocket, ...REFERENCE })
    virtualTime()
    socket.connect()
    await passUntil(() => socket.state === 'connected', 5_000)
    await passUntil(() => false, 20_000)
    let pings = 0
    server.sockets[0]?.on('ping', () => {
      pings += 1
    })
    return { front, server, socket, states, pings: () => pings }
  }

  it.each([10_000, 3_600_000])('of %i ms a link is asked at once, and stays', async (ms) => {
    const { server, states, pings } = await scene()
    const before = pings()
    vi.setSystemTime(Date.now() + ms)
    await passUntil(() => pings() > before, 1_200)
    expect(pings()).toBe(before + 1)
    await passUntil(() => false, 60_000)
    expect(states).not.toContain('waiting')
    expect(server.handshakes).toHaveLength(1)
  })

  it.each([10_000, 3_600_000])('of %i ms a dead one is left soon', async (ms) => {
    const { front, socket } = await scene()
    await front.setMode('black-hole')
    vi.setSystemTime(Date.now() + ms)
    const took = await passUntil(() => socket.state !== 'connected', 60_000)
    // A look each second, and 3 s.
    expect(took).toBeLessThanOrEqual(4_300)
  })
})

describe('a server process that is stopped, whose kernel still acknowledges', () => {
  const serverApart = async (): Promise<{ url: string; child: ChildProcess }> => {
    const program = ECHO.replace('parentPort.postMessage(server.address().port)', ECHOED_PORT)
    const [command, args] = boundToUs(process.execPath, ['-e', program])
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => end(child, 'SIGKILL'))
    const port = await new Promise<number>((resolve) => {
      child.stdout?.once('data', (text) => resolve(Number(text)))
    })
    return { url: `ws://127.0.0.1:${port}/`, child }
  }

  it.each(RUNTIMES)('is noticed by a heartbeat with $name', async ({ Native }) => {
    const { url, child } = await serverApart()
    const { socket, states } = watched({ url, WebSocket: Native, ...beating(200, 400) })
    await socket.connect()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(states).not.toContain('waiting')
    await signal(child, 'SIGSTOP')
    await expect.poll(() => socket.state, SOON).not.toBe('connected')
    await signal(child, 'SIGCONT')
    await expect.poll(() => socket.state, SOON).toBe('connected')
  })

  it('is noticed without one with ws', async () => {
    const { url, child } = await serverApart()
    const { socket } = watched({ url, WebSocket: WsSocket, ...REFERENCE })
    virtualTime()
    socket.connect()
    await expect.poll(() => socket.state, { interval: 1 }).toBe('connected')
    await signal(child, 'SIGSTOP')
    const took = await passUntil(() => socket.state !== 'connected', 60_000)
    expect(took).toBeLessThanOrEqual(20_000)
  })
})
