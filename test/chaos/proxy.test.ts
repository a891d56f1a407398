import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startSlowClock } from '../support/slow-clock.ts'
import type { LineFault } from './faults.ts'
import { type Door, openDoor } from './proxy.ts'

/** A server with frames of the right types: it welcomes, and answers what it is sent. */
let server: WebSocketServer
let door: Door
/** `dials`: so many there were by then. */
let heard: { connection: number; text: string; dials: number }[]
let dials: number
const sockets: WebSocket[] = []
/** The server answers this send only together with the next one. */
const HELD = 0

let stopClock: () => Promise<void>
beforeEach(async () => {
  stopClock = startSlowClock()
  heard = []
  dials = 0
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => {
    const connection = ++dials
    socket.send('{"type":"welcome"}')
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const text = String(data)
      heard.push({ connection, text, dials })
      const { type, n } = JSON.parse(text) as { type: string; n: number }
      if (type === 'send') {
        if (n === HELD) return
        if (heard.some((frame) => frame.connection === connection && frame.text === textOf(HELD)))
          socket.send(`{"type":"ok","id":${HELD},"seq":${HELD}}`)
        socket.send(`{"type":"ok","id":${n},"seq":${n}}`)
        socket.send(`{"type":"message","seq":${n}}`)
      } else socket.send(`{"type":"joined","n":${n}}`)
    })
  })
  await once(server, 'listening')
  door = await openDoor({
    target: () => (server.address() as AddressInfo).port,
    reconnect: () => dialAgain(),
    patienceMs: 1_000,
  })
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await door.close()
  server.close()
  await stopClock()
})

interface Dialed {
  readonly socket: WebSocket
  readonly got: string[]
  readonly closed: Promise<number>
}

const dial = async (): Promise<Dialed> => {
  const socket = new WebSocket(door.wsUrl, { perMessageDeflate: false })
  sockets.push(socket)
  const got: string[] = []
  socket.on('error', () => {})
  socket.on('message', (data) => got.push(String(data)))
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await Promise.race([once(socket, 'open'), closed])
  return { socket, got, closed }
}
let next: Promise<Dialed> | undefined
const dialAgain = (): void => {
  next = dial()
}

const textOf = (n: number, type = 'send') => JSON.stringify({ type, id: n, n })
const send = ({ socket }: Dialed, n: number, type?: string): void => {
  socket.send(textOf(n, type))
}
const until = async (isSo: () => boolean): Promise<void> => {
  const end = Date.now() + 5_000
  while (!isSo()) {
    if (Date.now() > end) throw new Error('it was not so')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const numbers = () => heard.map(({ text }) => (JSON.parse(text) as { n: number }).n)
const typesOf = ({ got }: Dialed) => got.map((text) => (JSON.parse(text) as { type: string }).type)

describe('The proxy', () => {
  test('passes everything on while there is no fault', async () => {
    const client = await dial()
    for (let n = 1; n <= 100; n++) send(client, n)
    await until(() => client.got.length === 201)
    expect(numbers()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    client.socket.close(4321)
    expect(await client.closed).toBe(4321)
  })

  test('answers requests that are no WebSocket, and does no fault to them', async () => {
    await dial()
    const cut = door.apply({
      kind: 'cut',
      direction: 'up',
      afterBytes: 0,
      how: 'fin',
      dial: 'next',
    })
    const response = await fetch(door.wsUrl.replace('ws:', 'http:'), { method: 'HEAD' })
    expect(response.status).toBe(426)
    dialAgain()
    expect(await cut).toEqual({ kind: 'done' })
  })

  test.each([0, 1, 7, 29, 30, 50])('cuts what the server sends after %i bytes', async (bytes) => {
    const client = await dial()
    await until(() => client.got.length === 1)
    const done = door.apply({
      kind: 'cut',
      direction: 'down',
      afterBytes: bytes,
      how: 'fin',
      dial: 'this',
    })
    send(client, 1)
    expect(await client.closed).toBe(1006)
    expect(await done).toEqual({ kind: 'done' })
    // An `ok` is 30 bytes on the wire, with two of header; the message stands behind it.
    expect(client.got.length).toBe(bytes >= 30 ? 2 : 1)
  })

  test.each([50, 150, 200])('cuts a handshake after %i bytes of the answer', async (bytes) => {
    const first = await dial()
    const done = door.apply({
      kind: 'cut',
      direction: 'down',
      afterBytes: bytes,
      how: 'reset',
      dial: 'next',
    })
    expect(await first.closed).toBe(1006)
    const second = await dial()
    expect(await second.closed).toBe(1006)
    expect(await done).toEqual({ kind: 'done' })
    const third = await dial()
    await until(() => third.got.length === 1)
  })

  test('holds one direction, and loses nothing when it is released', async () => {
    const client = await dial()
    await until(() => client.got.length === 1)
    const done = door.apply({ kind: 'hole', direction: 'down', forMs: 100, end: 'release' })
    await pause(5)
    send(client, 1)
    await until(() => heard.length === 1)
    expect(client.got.length).toBe(1)
    await done
    await until(() => client.got.length === 3)
  })

  test('loses what it held when the hole ends in a cut', async () => {
    const client = await dial()
    const done = door.apply({ kind: 'hole', direction: 'up', forMs: 50, end: 'cut' })
    await pause(5)
    send(client, 1)
    expect(await client.closed).toBe(1006)
    await done
    await pause(20)
    expect(heard).toEqual([])
  })

  test('holds what is said until a second connection is there beside it', async () => {
    const first = await dial()
    const done = door.apply({ kind: 'hole', direction: 'up', forMs: 0, end: 'succeeded' })
    await pause(5)
    send(first, 1)
    const second = await dial()
    expect(await done).toEqual({ kind: 'late', stored: 1, superseded: 0 })
    expect(heard.find(({ text }) => text === textOf(1))?.dials).toBe(2)
    await until(() => typesOf(first).includes('ok'))
    expect(second.got.length).toBe(1)
  })

  test('takes a second connection that is gone for none', async () => {
    const first = await dial()
    const second = await dial()
    await until(() => second.got.length === 1)
    second.socket.close()
    await second.closed
    const done = door.apply({ kind: 'hole', direction: 'up', forMs: 0, end: 'succeeded' })
    await pause(5)
    send(first, 1)
    await dial()
    expect(await done).toMatchObject({ kind: 'late', stored: 1 })
    expect(heard.find(({ text }) => text === textOf(1))?.dials).toBe(3)
  })

  test('counts nothing as late that reached the server while nothing had replaced its connection', async () => {
    const first = await dial()
    // Nobody dials: the client gives up, and the connection goes on.
    expect(await door.apply({ kind: 'hole', direction: 'up', forMs: 0, end: 'succeeded' })).toEqual(
      { kind: 'done' },
    )
    send(first, HELD)
    await until(() => heard.length === 1)
    const done = door.apply({ kind: 'hole', direction: 'up', forMs: 0, end: 'succeeded' })
    await pause(5)
    send(first, 1)
    await dial()
    // The answer to the earlier one comes together with its own.
    expect(await done).toEqual({ kind: 'late', stored: 1, superseded: 0 })
  })

  test('delays, and keeps the order', async () => {
    const client = await dial()
    const done = door.apply({ kind: 'delay', direction: 'up', byMs: 40, forMs: 60 })
    await pause(5)
    send(client, 1)
    send(client, 2)
    await pause(10)
    expect(heard).toEqual([])
    await done
    send(client, 3)
    await until(() => heard.length === 3)
    expect(numbers()).toEqual([1, 2, 3])
  })

  test('passes bytes one by one', async () => {
    const client = await dial()
    await door.apply({ kind: 'slices', direction: 'up', bytes: 100 })
    await door.apply({ kind: 'slices', direction: 'down', bytes: 100 })
    for (let n = 1; n <= 10; n++) send(client, n)
    await until(() => client.got.length === 21)
    expect(numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test.each<LineFault>([
    { kind: 'linger', holdMs: 30, lateMs: 20 },
    { kind: 'hole', direction: 'up', forMs: 30, end: 'reconnect' },
  ])('brings what was on its way after the next connection was welcomed: %j', async (fault) => {
    next = undefined
    const first = await dial()
    // The server had this one in time, so its answer is none that came too late.
    send(first, HELD)
    await until(() => heard.length === 1)
    const done = door.apply(fault)
    await pause(5)
    send(first, 1)
    if (fault.kind === 'linger') {
      expect(await first.closed).toBe(1006)
      dialAgain()
    }
    await until(() => next !== undefined)
    const second = (await next) as unknown as Dialed
    await until(() => second.got.length === 1)
    send(second, 2)
    expect(await done).toEqual({ kind: 'late', stored: 1, superseded: 0 })
    await until(() => second.got.length === 3)
    expect(heard.find(({ text }) => text === textOf(1))?.dials).toBe(2)
    expect(typesOf(second)).toEqual(['welcome', 'ok', 'message'])
  })

  test('closes as a server would, with a code', async () => {
    const client = await dial()
    const done = door.apply({ kind: 'close', code: 4999 })
    expect(await client.closed).toBe(4999)
    await done
    await until(() => [...server.clients].every(({ readyState }) => readyState !== WebSocket.OPEN))
  })

  test('loses all answers from the next one on, and then the line', async () => {
    const client = await dial()
    const done = door.apply({ kind: 'drop', frame: 'ok', cutAfterMs: 50 })
    for (let n = 1; n <= 3; n++) send(client, n)
    expect(await client.closed).toBe(1006)
    await done
    expect(typesOf(client)).toEqual(['welcome', 'message', 'message', 'message'])
  })

  test('answers nothing until the client has a second connection, and some time more', async () => {
    const first = await dial()
    const done = door.apply({ kind: 'mute', forMs: 50 })
    send(first, 1)
    const second = await dial()
    send(second, 2)
    await until(() => typesOf(second).includes('ok'))
    expect(await first.closed).toBe(1006)
    await done
    expect([typesOf(first), second.socket.readyState]).toEqual([
      ['welcome', 'message'],
      WebSocket.OPEN,
    ])
  })

  test('loses the answer to a join with everything behind it', async () => {
    const first = await dial()
    const done = door.apply({ kind: 'drop', frame: 'joined', cutAfterMs: 30 })
    await first.closed
    const second = await dial()
    send(second, 1)
    send(second, 1, 'join')
    send(second, 2)
    expect(await second.closed).toBe(1006)
    await done
    expect(typesOf(second)).toEqual(['welcome', 'ok', 'message'])
    expect(heard.length).toBe(3)
  })

  test('makes a client deaf until it is cut', async () => {
    const client = await dial()
    await until(() => client.got.length === 1)
    const cut = door.deafen()
    send(client, 1)
    await until(() => heard.length === 1)
    cut()
    expect(await client.closed).toBe(1006)
    expect(client.got.length).toBe(1)
  })

  test('ends the line of a deaf client with its server', async () => {
    const client = await dial()
    door.deafen()
    for (const socket of server.clients) socket.terminate()
    expect(await client.closed).toBe(1006)
  })

  test('says when there was nothing to do a fault to', async () => {
    expect(await door.apply({ kind: 'reset' })).toEqual({ kind: 'missed' })
  })
})
