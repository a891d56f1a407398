import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket as WsSocket } from 'ws'
import { unwrap } from '../../src/shell/dialer.ts'
import type { WebSocketConstructor } from '../../src/shell/websocket.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { type Front, startFront } from '../support/front.ts'
import {
  type BareServer,
  dialTo,
  pause,
  RUNTIMES,
  SCRIPTED,
  ScriptedSocket,
  startBareServer,
  WS,
} from './dialing.ts'

/** Longer than everything that could follow an end. */
const AFTERMATH_MS = 60

async function bareServer(answer?: string): Promise<BareServer> {
  const server = await startBareServer(answer)
  onTestFinished(() => server.close())
  return server
}

async function referenceServer(): Promise<ReferenceServer> {
  const server = await createReferenceServer()
  onTestFinished(() => server.close())
  return server
}

async function frontOf(target: number): Promise<Front> {
  const front = await startFront({ target })
  onTestFinished(() => front.close())
  return front
}

const refusal = (status: number, headers = ''): string =>
  `HTTP/1.1 ${status} Refused\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`

describe.each(RUNTIMES)('a dial with $name', ({ name, Native }) => {
  it('carries text both ways, and bytes as an ArrayBuffer', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    await dialed.opened
    dialed.socket.send('täxt')
    dialed.socket.send(new Uint8Array([1, 2, 255]).buffer)
    await expect.poll(() => server.received).toEqual(['täxt', Buffer.from([1, 2, 255])])
    server.sockets[0]?.send('back')
    server.sockets[0]?.send(Buffer.from([0, 254]))
    await expect.poll(() => dialed.frames.length).toBe(2)
    expect(dialed.frames[0]).toBe('back')
    expect(dialed.frames[1]).toBeInstanceOf(ArrayBuffer)
    expect(dialed.frames[1]).toEqual(new Uint8Array([0, 254]).buffer)
    dialed.socket.close()
  })

  it('takes protocols and headers anew for each attempt', async () => {
    const server = await bareServer()
    for (const round of ['one', 'two']) {
      const dialed = dialTo(server.url, Native, {
        protocols: [`app.${round}`, `token.${round}`],
        headers: { Authorization: `Bearer ${round}` },
      })
      await dialed.opened
      dialed.socket.close()
    }
    expect(
      server.handshakes.map(({ headers }) => [
        headers['sec-websocket-protocol']?.split(/, ?/),
        headers.authorization,
      ]),
    ).toEqual([
      [['app.one', 'token.one'], 'Bearer one'],
      [['app.two', 'token.two'], 'Bearer two'],
    ])
  })

  it('offers nothing, and sends no header, when there is none', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    await dialed.opened
    expect(server.handshakes[0]?.headers).not.toHaveProperty('sec-websocket-protocol')
    expect(server.handshakes[0]?.headers).not.toHaveProperty('authorization')
    dialed.socket.close()
  })

  it('passes the options of the user on, and the headers of the handshake win', async () => {
    const server = await bareServer()
    const dialed = dialTo(
      server.url,
      Native,
      { headers: { Authorization: 'Bearer right' } },
      { headers: { 'X-App': 'mine', Authorization: 'Bearer wrong' } },
    )
    await dialed.opened
    expect(server.handshakes[0]?.headers).toMatchObject({
      'x-app': 'mine',
      authorization: 'Bearer right',
    })
    dialed.socket.close()
  })

  it.each([
    [1000, 'done'],
    [1001, ''],
    [1008, 'Policy'],
    [1011, ''],
    [1012, 'restarting'],
    [3000, ''],
    [4003, 'token'],
    [4999, 'last'],
  ])('reports the true close code %i', async (code, reason) => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    await dialed.opened
    server.sockets[0]?.close(code, reason)
    expect(await dialed.ended).toEqual({ kind: 'closed', code, reason })
    await pause(AFTERMATH_MS)
    expect(dialed.events).toEqual(['opened', 'ended'])
    expect(server.handshakes).toHaveLength(1)
  })

  it('reports a connection that breaks as 1006, once', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    await dialed.opened
    server.sockets[0]?.terminate()
    expect(await dialed.ended).toMatchObject({ kind: 'closed', code: 1006 })
    await pause(AFTERMATH_MS)
    expect(dialed.events).toEqual(['opened', 'ended'])
  })

  it.each([200, 302, 400, 401, 403, 404, 426, 429, 431, 500, 503])(
    'ends once when the handshake is refused with HTTP %i, and tells the status where it is shown',
    async (status) => {
      const server = await bareServer(refusal(status, 'Retry-After: 7\r\n'))
      const dialed = dialTo(server.url, Native)
      expect(await dialed.ended).toEqual(
        name === 'ws'
          ? { kind: 'status', status, retryAfter: '7' }
          : { kind: 'closed', code: 1006, reason: '' },
      )
      await pause(AFTERMATH_MS)
      expect(dialed.events).toEqual(['ended'])
      // undici's fetch answers a 401 with the same request once more, by itself.
      expect(server.handshakes).toHaveLength(name === 'undici' && status === 401 ? 2 : 1)
    },
  )

  it.each(['absent', 'reset'] as const)('ends once with 1006 when the host is %s', async (mode) => {
    const front = await frontOf((await bareServer()).port)
    await front.setMode(mode)
    const dialed = dialTo(front.wsUrl, Native)
    expect(await dialed.ended).toEqual({ kind: 'closed', code: 1006, reason: '' })
    await pause(AFTERMATH_MS)
    expect(dialed.events).toEqual(['ended'])
  })

  it('loses nothing of a 101, a message and a close in one TCP write', async () => {
    const server = await referenceServer()
    server.fault({ kind: 'close-after-accept', code: 4003, reason: 'expired', withFrame: 'why' })
    const dialed = dialTo(`${server.wsUrl}/ws/plain`, Native)
    expect(await dialed.ended).toEqual({ kind: 'closed', code: 4003, reason: 'expired' })
    expect(dialed.events).toEqual(['opened', 'frame', 'ended'])
    expect(dialed.frames).toEqual(['why'])
  })

  it.each(['no-subprotocol', 'wrong-subprotocol'] as const)(
    'ends once when the server answers with %s',
    async (kind) => {
      const server = await referenceServer()
      server.fault(kind === 'no-subprotocol' ? { kind } : { kind, value: 'other' })
      const dialed = dialTo(`${server.wsUrl}/ws/plain`, Native, { protocols: ['app'] })
      const end = await dialed.ended
      // undici tells it from nothing else.
      expect(end.kind).toBe(name === 'ws' ? 'subprotocol' : 'closed')
      await pause(AFTERMATH_MS)
      expect(dialed.ends).toHaveLength(1)
      expect(dialed.events).not.toContain('frame')
    },
  )

  it.each([undefined, { followRedirects: true }])(
    'takes the token to nobody when the handshake is redirected (%j)',
    async (options) => {
      const evil = await bareServer()
      const server = await bareServer(refusal(302, `Location: ${evil.url}\r\n`))
      const dialed = dialTo(
        server.url,
        Native,
        { protocols: ['app', 'secret'], headers: { Authorization: 'Bearer secret' } },
        options,
      )
      await dialed.ended
      await pause(AFTERMATH_MS)
      expect(server.handshakes).toHaveLength(1)
      expect(evil.handshakes).toHaveLength(0)
    },
  )

  it('queues nothing: what is sent before the open is gone', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    dialed.socket.send('too early')
    await pause(1)
    dialed.socket.send('still too early')
    await dialed.opened
    dialed.socket.send('now')
    await expect.poll(() => server.received.length).toBeGreaterThan(0)
    expect(server.received).toEqual(['now'])
    dialed.socket.close()
  })

  it('makes no socket when it is closed before there is one', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    dialed.socket.close()
    dialed.socket.close()
    await pause(AFTERMATH_MS)
    expect(server.handshakes).toHaveLength(0)
    expect(dialed.events).toEqual([])
  })

  it('is silent after a close while connecting', async () => {
    const front = await frontOf((await bareServer()).port)
    await front.setMode('black-hole')
    const dialed = dialTo(front.wsUrl, Native)
    await expect.poll(() => front.counts.dials).toBe(1)
    dialed.socket.close()
    await pause(AFTERMATH_MS)
    expect(dialed.events).toEqual([])
    expect(front.counts.dials).toBe(1)
  })

  it('closes an open socket with 1000, and is silent from then on', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, Native)
    await dialed.opened
    const closed = new Promise((resolve) => server.sockets[0]?.on('close', resolve))
    server.sockets[0]?.send('on its way')
    dialed.socket.close()
    dialed.socket.send('too late')
    expect(await closed).toBe(1000)
    await pause(AFTERMATH_MS)
    expect(dialed.events).toEqual(['opened'])
    expect(server.received).toEqual([])
  })
})

describe('a dial with ws', () => {
  it.each([
    [undefined, undefined],
    [{ perMessageDeflate: true }, /permessage-deflate/],
  ])('with the options %j offers the extensions %o (T19)', async (options, extensions) => {
    const server = await bareServer()
    const dialed = dialTo(server.url, WS, { headers: { Authorization: 'Bearer x' } }, options)
    await dialed.opened
    const offered = server.handshakes[0]?.headers['sec-websocket-extensions']
    if (extensions === undefined) expect(offered).toBeUndefined()
    else expect(offered).toMatch(extensions)
    dialed.socket.close()
  })

  it('offers no compression without headers and options, either', async () => {
    const server = await bareServer()
    const dialed = dialTo(server.url, WS, { protocols: ['app'] })
    await dialed.opened
    expect(server.handshakes[0]?.headers).not.toHaveProperty('sec-websocket-extensions')
    dialed.socket.close()
  })

  it('lets go of the connection when a handshake is refused, whatever the server does', async () => {
    const keepAlive = 'HTTP/1.1 403 No\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n'
    const closed = new Promise((resolve) => {
      const server = createServer((connection) => {
        connection.on('error', () => {})
        connection.once('data', () => connection.write(keepAlive))
        connection.once('close', resolve)
      })
      onTestFinished(() => {
        server.close()
      })
      server.listen(0, '127.0.0.1', () => {
        // Of a TCP server it is an object.
        const { port } = server.address() as AddressInfo
        dialTo(`ws://127.0.0.1:${port}/`, WS)
      })
    })
    expect(await Promise.race([closed, pause(500).then(() => 'still open')])).not.toBe('still open')
  })

  it('drops a peer that does not answer the close, without waiting for it', async () => {
    const front = await frontOf((await bareServer()).port)
    const made: WsSocket[] = []
    class Spied extends WsSocket {
      constructor(...args: ConstructorParameters<typeof WsSocket>) {
        super(...args)
        made.push(this)
      }
    }
    const dialed = dialTo(front.wsUrl, Spied)
    await dialed.opened
    await front.setMode('black-hole')
    const since = performance.now()
    dialed.socket.close()
    expect(performance.now() - since).toBeLessThan(1_000)
    expect(made[0]?.readyState).toBe(WsSocket.CLOSING)
    // `ws` itself would take 30 s.
    await expect.poll(() => made[0]?.readyState).toBe(WsSocket.CLOSED)
    expect(dialed.events).toEqual(['opened'])
  })
})

describe('a dial on a scripted socket', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    ScriptedSocket.made = []
  })
  afterEach(() => vi.useRealTimers())

  const HOUR_MS = 3_600_000
  const cause = new DOMException('The subprotocol is invalid', 'SyntaxError')
  class Throwing {
    constructor() {
      throw cause
    }
  }
  const THROWING = Throwing as unknown as WebSocketConstructor

  async function scripted() {
    const dialed = dialTo('ws://host.example/', SCRIPTED, { protocols: ['app'] })
    await vi.advanceTimersByTimeAsync(0)
    return { dialed, native: ScriptedSocket.last }
  }

  /** Nothing happens any more, and nothing keeps the process. */
  async function expectNothingLeft(): Promise<void> {
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(ScriptedSocket.made).toHaveLength(1)
  }

  it('ends on an error that no close follows, as undici 6 refuses a handshake', async () => {
    const { dialed, native } = await scripted()
    native.error('Received network error or non-101 status code.')
    expect(dialed.ends).toEqual([])
    await vi.advanceTimersByTimeAsync(0)
    expect(dialed.ends).toEqual([{ kind: 'closed', code: 1006, reason: '' }])
    await expectNothingLeft()
    expect(dialed.ends).toHaveLength(1)
  })

  it.each([0, 500])('takes the code of a close that comes %i ms after the error', async (ms) => {
    const { dialed, native } = await scripted()
    native.open()
    native.error()
    await vi.advanceTimersByTimeAsync(ms)
    native.closed(4003, 'expired')
    expect(dialed.ends).toEqual([{ kind: 'closed', code: 4003, reason: 'expired' }])
    await expectNothingLeft()
    expect(dialed.ends).toHaveLength(1)
  })

  it('waits a second for the close that follows the error of an open socket', async () => {
    const { dialed, native } = await scripted()
    native.open()
    native.error()
    await vi.advanceTimersByTimeAsync(999)
    expect(dialed.ends).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(dialed.ends).toEqual([{ kind: 'closed', code: 1006, reason: '' }])
    native.closed(4003)
    await expectNothingLeft()
    expect(dialed.ends).toHaveLength(1)
  })

  it('keeps no timer for an error when it is closed meanwhile', async () => {
    const { dialed, native } = await scripted()
    native.open()
    native.error()
    dialed.socket.close()
    await expectNothingLeft()
    native.error()
    await expectNothingLeft()
    expect(dialed.ends).toEqual([])
  })

  it.each([
    ['closed by the server', (native: ScriptedSocket) => native.closed(1000)],
    ['closed before it opened', (native: ScriptedSocket) => native.closed(1006)],
    [
      'opened and closed',
      (native: ScriptedSocket) => {
        native.open()
        native.closed(1006)
      },
    ],
  ])('makes no second socket and keeps no timer once it was %s', async (_, end) => {
    const { dialed, native } = await scripted()
    end(native)
    await expectNothingLeft()
    expect(dialed.ends).toHaveLength(1)
  })

  it('never gives up a dial by itself: how long one may take is not its to say', async () => {
    const { dialed, native } = await scripted()
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS)
    expect(dialed.events).toEqual([])
    expect(native.readyState).toBe(0)
    native.open()
    expect(dialed.events).toEqual(['opened'])
  })

  it('lives through a day of quiet', async () => {
    const { dialed, native } = await scripted()
    native.open()
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS)
    native.message('still here')
    expect(dialed.events).toEqual(['opened', 'frame'])
    expect(native.readyState).toBe(1)
  })

  it('hears nothing of a socket that it has closed', async () => {
    const { dialed, native } = await scripted()
    native.open()
    dialed.socket.close()
    native.message('late')
    native.closed(4003)
    expect(dialed.events).toEqual(['opened'])
    await expectNothingLeft()
  })

  it('says `threw` when the constructor throws, and leaves nothing behind', async () => {
    const dialed = dialTo('ws://host.example/', THROWING)
    await vi.advanceTimersByTimeAsync(0)
    expect(dialed.ends).toEqual([{ kind: 'threw', cause }])
    expect(vi.getTimerCount()).toBe(0)
    dialed.socket.send('into the void')
    dialed.socket.close()
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(dialed.events).toEqual(['ended'])
  })

  it('is silent when it was closed before the constructor threw', async () => {
    const dialed = dialTo('ws://host.example/', THROWING)
    dialed.socket.close()
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(dialed.events).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the import of reconnecting-websocket', () => {
  class Library {}
  it.each([
    ['the class itself', Library],
    ['a namespace', { default: Library }],
    ['a namespace within a namespace', { default: { default: Library } }],
  ])('is unwrapped from %s', (_, module) => {
    expect(unwrap(module)).toBe(Library)
  })
})
