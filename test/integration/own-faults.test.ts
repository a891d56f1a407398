/** What a protocol, an envelope, a policy or a URL function of the user's throws, or gives, is told, and goes nowhere. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuthedSocketOptions,
  type Codec,
  type Envelope,
  type Incoming,
  type JoinRequest,
  type Protocol,
  plain,
  roomPerSocket,
  roomsOnOneSocket,
} from '../../src/index.ts'
import { serveSockets } from '../support/socket-server.ts'
import { pause, rejection, watched } from './bad-input-support.ts'

const boom = (): never => {
  throw new Error('boom')
}
const give = (value: unknown) => () => value

/** In words, and what does it. Each is made anew: a promise that rejects is a new one each time. */
const WRONG: readonly [string, () => unknown][] = [
  ['throws', boom],
  ['gives nothing', give(undefined)],
  ['gives null', give(null)],
  ['gives a number', give(Number.NaN)],
  ['gives a list', give([])],
  ['gives an object', give({})],
  ['gives a promise that rejects', async () => boom()],
]

/** Answers a join with the frame that `read` makes `joined` of, and everything else with nothing. */
const serve = () =>
  serveSockets((socket) => {
    socket.on('message', (data) => {
      const text = String(data)
      if (text.startsWith('join ')) socket.send(text)
    })
  })

/** Refuses each handshake with this status. */
const serveRefusals = async (status: number) => {
  let count = 0
  const server = createServer().on('upgrade', (_, socket) => {
    count += 1
    socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/`, refused: () => count }
}

const GOOD: Codec = {
  read: (frame): Incoming => ({
    kind: 'joined',
    room: String(frame).slice('join '.length),
    epoch: 'one',
  }),
  send: (room, data) => `send ${room} ${data}`,
  join: ([first]: readonly JoinRequest[]) => `join ${first?.room}`,
  leave: (room) => `leave ${room}`,
  call: (type) => `call ${type}`,
  history: (room) => `history ${room}`,
  complete: (frame, epoch) => `${frame} ${epoch}`,
}

const own = (change: object): Protocol => ({
  name: 'own',
  rooms: roomsOnOneSocket,
  greets: false,
  acknowledges: false,
  // Not spread: what is asked of a getter is asked when it is needed.
  codec: () => Object.setPrototypeOf(change, GOOD),
})

const clientOf = async (change: object, options: Partial<AuthedSocketOptions> = {}) => {
  const server = await serve()
  const client = watched({
    url: server.url,
    protocol: own(change),
    requestTimeoutMs: 500,
    ...options,
  })
  return { ...client, frames: server.frames, requests: server.requests }
}

/** The first error event, in words. */
const told = async ({ errors }: { readonly errors: readonly unknown[] }): Promise<string> => {
  await expect.poll(() => errors.length).toBeGreaterThan(0)
  return String(errors[0])
}

const said = (how: string): RegExp => (how === 'throws' ? / threw Error/ : / gave /)

describe.each(WRONG)('of an own protocol that %s,', (how, wrong) => {
  it('read(): an error event that names it, and the socket stays', async () => {
    const client = await clientOf({ read: wrong })
    const joining = rejection(client.socket.join('a'))
    const error = await told(client)
    expect(error).toContain('protocol.read()')
    expect(error).toMatch(said(how))
    expect(client.socket.state).toBe('connected')
    client.socket.room('a').leave()
    await joining
  })

  it('join(): the room is refused, and nothing is written', async () => {
    const client = await clientOf({ join: wrong })
    const error = await rejection(client.socket.join('a'))
    expect(error).toMatchObject({ code: 'ROOM' })
    expect(String(error)).toMatch(new RegExp(`protocol\\.join\\(\\)${said(how).source}`))
    expect(client.frames).toEqual([])
  })

  it('leave(): an error event, nothing is written, and the room is left', async () => {
    const client = await clientOf({ leave: wrong })
    const room = await client.socket.join('a')
    expect(() => room.leave()).not.toThrow()
    const error = await told(client)
    expect(error).toContain('protocol.leave()')
    expect(error).toMatch(said(how))
    expect(room.state).toBe('idle')
    await client.socket.join('b')
    expect(client.frames).toEqual(['join a', 'join b'])
  })

  it('send(), call() and history(): a rejection, and nothing is written', async () => {
    const client = await clientOf({ send: wrong, call: wrong, history: wrong })
    const room = await client.socket.join('a')
    for (const [name, asked] of [
      ['send', () => room.send('x')],
      ['call', () => client.socket.request('x', {})],
      ['history', () => room.history()],
    ] as const) {
      const error = String(await rejection(asked()))
      if (how === 'throws') expect(error).toBe('Error: boom')
      else expect(error).toContain(`protocol.${name}() gave `)
    }
    await client.socket.join('b')
    expect(client.frames).toEqual(['join a', 'join b'])
  })

  it('complete(): a rejection, and nothing is written', async () => {
    const client = await clientOf({ complete: wrong })
    const room = client.socket.room('a')
    const joining = room.join()
    // Queued until the room is joined: then it is written by a frame of the server.
    const error = String(await rejection(room.send('x')))
    await joining
    expect(error).toMatch(new RegExp(`protocol\\.complete\\(\\)${said(how).source}`))
    await client.socket.join('b')
    expect(client.frames).toEqual(['join a', 'join b'])
  })

  it('heartbeat: an error event, and nothing is written', async () => {
    const client = await clientOf({
      get heartbeat() {
        return how === 'gives nothing' ? { everyMs: 5, timeoutMs: 5 } : wrong()
      },
    })
    await client.socket.connect()
    expect(await told(client)).toContain('protocol.heartbeat')
    await pause(30)
    expect(client.frames).toEqual([])
    expect(client.socket.state).toBe('connected')
  })

  it('address(): the socket fails by name', async () => {
    const client = await clientOf({ address: how === 'gives a list' ? give([5]) : wrong })
    // Nothing is what it may give.
    if (how === 'gives nothing') return client.socket.connect()
    await rejection(client.socket.connect())
    expect(client.socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect(client.requests).toEqual([])
  })
})

it('of an own protocol, what is right stays right', async () => {
  const client = await clientOf({})
  const room = await client.socket.join('a')
  await room.send('x')
  room.leave()
  await client.socket.join('b')
  expect(client.frames).toEqual(['join a', 'send a x', 'leave a', 'join b'])
  expect(client.errors).toEqual([])
})

describe.each(WRONG)('of an envelope that %s,', (how, wrong) => {
  const heard = async (protocol: Protocol) => {
    const server = await serveSockets((socket) => socket.send('{}'))
    const client = watched({ url: `${server.url}{room}`, protocol })
    client.socket.connect()
    if (protocol.name === 'room-per-socket') client.socket.join('a')
    return client
  }
  const READERS: readonly [string, Envelope][] = [
    ['envelope.decode()', { decode: wrong }],
    // A verdict that is empty is none.
    ['envelope.verdict()', { verdict: wrong as () => undefined }],
    ['correlate.answer()', { correlate: { request: () => 1, answer: wrong as () => undefined } }],
    [
      'heartbeat.answer()',
      { heartbeat: { frame: 1, everyMs: 60_000, timeoutMs: 60_000, answer: wrong as () => true } },
    ],
  ]
  const isNo = ['gives nothing', 'gives null', 'gives a number'].includes(how)

  it.each(READERS)('%s: an error event that names it', async (name, envelope) => {
    const isData = name === 'envelope.decode()' && how !== 'throws' && !how.includes('promise')
    const client = await heard(plain(envelope))
    if ((isData && how !== 'gives nothing') || (!isData && isNo)) {
      await expect.poll(() => client.events.some(([event]) => event === 'message')).toBe(true)
      expect(client.errors).toEqual([])
      return
    }
    const error = await told(client)
    expect(error).toContain(name)
    expect(error).toMatch(said(how))
    expect(client.events.some(([event]) => event === 'message')).toBe(false)
    expect(client.socket.state).toBe('connected')
  })

  it('greeting(): an error event that names it', async () => {
    const client = await heard(roomPerSocket({ greeting: wrong as () => boolean }))
    if (isNo) return
    expect(await told(client)).toMatch(/greeting\(\) (threw|gave)/)
  })

  it('encode() and request(): a rejection, and nothing is written', async () => {
    const server = await serveSockets(() => {})
    const correlate = { answer: () => undefined }
    const encoding = watched({
      url: server.url,
      protocol: plain({ encode: wrong as () => string }),
    })
    await encoding.socket.connect()
    const encoded = String(await rejection(encoding.socket.send({})))
    if (how === 'throws') expect(encoded).toBe('Error: boom')
    else expect(encoded).toContain('envelope.encode() gave ')
    const asking = watched({
      url: server.url,
      protocol: plain({ correlate: { ...correlate, request: wrong } }),
    })
    await asking.socket.connect()
    // `null`, `NaN`, lists and objects are frames, in JSON.
    if (!['throws', 'gives nothing', 'gives a promise that rejects'].includes(how)) return
    const asked = String(await rejection(asking.socket.request('x', {})))
    if (how === 'throws') expect(asked).toBe('Error: boom')
    else expect(asked).toContain('correlate.request() gave ')
    expect(server.frames).toEqual([])
  })
})

describe.each(WRONG)('of a function that %s,', (how, wrong) => {
  it('url(): the socket fails by name, and nobody is dialed', async () => {
    const server = await serve()
    const url = wrong as () => string
    const client = watched({
      url: how === 'gives an object' ? (give({ href: server.url }) as never) : url,
    })
    expect(String(await rejection(client.socket.connect()))).toMatch(/url\(\) (threw|gave)/)
    expect(client.socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect(server.requests).toEqual([])
  })

  it('closePolicy(): an error event, and the defaults decide', async () => {
    const server = await serveSockets((socket) => socket.close(1012))
    const client = watched({ url: server.url, closePolicy: wrong as () => undefined })
    client.socket.connect()
    await expect.poll(() => server.requests.length).toBeGreaterThan(1)
    if (how === 'gives nothing') expect(client.errors).toEqual([])
    else expect(inspect(client.errors)).toMatch(/closePolicy\(\) (threw|gave)/)
  })

  it('statusPolicy(): an error event, and the defaults decide', async () => {
    const { url, refused } = await serveRefusals(503)
    const client = watched({ url, statusPolicy: wrong as () => undefined })
    client.socket.connect()
    await expect.poll(refused).toBeGreaterThan(1)
    if (how === 'gives nothing') expect(client.errors).toEqual([])
    else expect(inspect(client.errors)).toMatch(/statusPolicy\(\) (threw|gave)/)
  })
})
