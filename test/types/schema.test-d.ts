import { describe, expectTypeOf, it } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  type Gap,
  type Member,
  type Message,
  plain,
  type Receipt,
  type Room,
  type RoomState,
  viaQuery,
} from '../../src/index.ts'

declare const options: AuthedSocketOptions

interface Order {
  item: string
  count: number
}

/** The one interface of the README, as an `interface` … */
interface ChatInterface {
  rooms: {
    [room: `chat:${string}`]: { send: { text: string }; message: { text: string; from: string } }
    news: { send: never; message: { headline: string } }
  }
  message: { notice: string }
  send: { note: string }
  requests: {
    'order.place': { request: Order; response: { id: number } }
    ping: { request: undefined; response: 'pong' }
  }
}

/** … and as a `type`. */
type ChatType = {
  rooms: ChatInterface['rooms']
  message: ChatInterface['message']
  send: ChatInterface['send']
  requests: ChatInterface['requests']
}

type Said = { text: string; from: string }
type Lobby = Room<{ text: string }, Said>

describe('a schema as an interface', () => {
  const socket = new AuthedSocket<ChatInterface>(options)

  it('names its rooms, by template as well', () => {
    expectTypeOf(socket.room('chat:lobby')).toEqualTypeOf<Lobby>()
    expectTypeOf(socket.room('news')).toEqualTypeOf<Room<never, { headline: string }>>()
    expectTypeOf(socket.join('chat:lobby')).toEqualTypeOf<Promise<Lobby>>()
    const name = 'lobby' as string
    expectTypeOf(socket.room(`chat:${name}`)).toEqualTypeOf<Lobby>()
    // @ts-expect-error no room of that name
    socket.room('lobby')
    // @ts-expect-error any string might be none
    socket.room(name)
    // @ts-expect-error no room of that name
    socket.join('newz')
    // @ts-expect-error a name is a string
    socket.room(1)
    // @ts-expect-error a name is needed
    socket.room()
  })

  it('types what a room sends', () => {
    const room = socket.room('chat:lobby')
    expectTypeOf(room.send).parameter(0).toEqualTypeOf<{ text: string }>()
    expectTypeOf(room.send({ text: 'hi' })).toEqualTypeOf<Promise<Receipt>>()
    room.send({ text: 'hi' }, { timeoutMs: 1, signal: AbortSignal.timeout(1), volatile: true })
    // @ts-expect-error of another type
    room.send('hi')
    // @ts-expect-error a member is wrong
    room.send({ text: 1 })
    // @ts-expect-error a member is missing
    room.send({})
    // @ts-expect-error a member is unknown
    room.send({ text: 'hi', txt: 'hi' })
    // @ts-expect-error nothing to send
    room.send()
    // @ts-expect-error no such option
    room.send({ text: 'hi' }, { timeout: 1 })
    // @ts-expect-error nobody sends to the news
    socket.room('news').send({ headline: 'x' })
  })

  it('types what a room receives', async () => {
    const room = socket.room('chat:lobby')
    room.on('message', (message) => {
      expectTypeOf(message).toEqualTypeOf<Message<Said>>()
      expectTypeOf(message.data).toEqualTypeOf<Said>()
      expectTypeOf(message.meta.seq).toEqualTypeOf<number | undefined>()
      expectTypeOf(message.meta.own).toEqualTypeOf<boolean | undefined>()
      // @ts-expect-error no such member
      message.data.txt
      // @ts-expect-error messages do not change
      message.data = { text: '', from: '' }
    })
    for await (const { data } of room) expectTypeOf(data).toEqualTypeOf<Said>()
    room.once('joined', (joined) =>
      expectTypeOf(joined).toEqualTypeOf<{ readonly rejoined: boolean }>(),
    )
    room.on('left', ({ reason }) =>
      expectTypeOf(reason).toEqualTypeOf<'left' | 'refused' | 'signed-out'>(),
    )
    room.on('gap', (gap) => expectTypeOf(gap).toEqualTypeOf<Gap>())
    room.on('presence', ({ joined }) => expectTypeOf(joined).toEqualTypeOf<readonly Member[]>())
    expectTypeOf(room.members).toEqualTypeOf<readonly Member[]>()
    const { messages } = await room.history({ limit: 5 })
    expectTypeOf(messages).toEqualTypeOf<ReadonlyArray<Message<Said>>>()
    // @ts-expect-error a number
    room.history({ before: 'yesterday' })
    room.on('error', (error) => expectTypeOf(error).toExtend<Error>())
    // @ts-expect-error no such event
    room.on('messages', () => {})
    // @ts-expect-error of another type
    room.on('message', ({ data }: { data: string }) => data)
    // @ts-expect-error no listener
    room.on('message')
  })

  it('has a room of a state, which nobody sets', () => {
    const room = socket.room('chat:lobby')
    expectTypeOf(room.state).toEqualTypeOf<RoomState>()
    expectTypeOf<RoomState>().toEqualTypeOf<'idle' | 'joining' | 'joined' | 'refused'>()
    expectTypeOf(room.name).toEqualTypeOf<string>()
    // @ts-expect-error read only
    room.state = 'joined'
  })

  it('types what the socket sends and receives', () => {
    socket.send({ note: 'x' })
    // @ts-expect-error of another type
    socket.send({ notice: 'x' })
    // @ts-expect-error nothing to send
    socket.send()
    socket.on('message', ({ data }) => expectTypeOf(data).toEqualTypeOf<{ notice: string }>())
  })

  it('types requests and their answers', () => {
    expectTypeOf(socket.request('order.place', { item: 'tea', count: 1 })).toEqualTypeOf<
      Promise<{ id: number }>
    >()
    expectTypeOf(socket.request('ping', undefined)).toEqualTypeOf<Promise<'pong'>>()
    socket.request('order.place', { item: 'tea', count: 1 }, { idempotent: true, timeoutMs: 5 })
    // @ts-expect-error no such request
    socket.request('order.cancel', { item: 'tea', count: 1 })
    // @ts-expect-error a member is missing
    socket.request('order.place', { item: 'tea' })
    // @ts-expect-error the payload of another request
    socket.request('ping', { item: 'tea', count: 1 })
    // @ts-expect-error a payload is needed
    socket.request('order.place')
    // @ts-expect-error no such option
    socket.request('ping', undefined, { idempotence: true })
  })
})

describe('a schema as a type', () => {
  it('is the same', () => {
    const socket = new AuthedSocket<ChatType>(options)
    expectTypeOf(socket.room).toEqualTypeOf(new AuthedSocket<ChatInterface>(options).room)
    expectTypeOf(socket.room('chat:x')).toEqualTypeOf<Lobby>()
    expectTypeOf(socket.request('ping', undefined)).toEqualTypeOf<Promise<'pong'>>()
    // @ts-expect-error no room of that name
    socket.room('lobby')
    // @ts-expect-error of another type
    socket.send(1)
  })
})

describe('a part of a schema', () => {
  it('allows what it names and nothing else', () => {
    interface OnlyRooms {
      rooms: { [room: string]: { send: string; message: number } }
    }
    const socket = new AuthedSocket<OnlyRooms>(options)
    expectTypeOf(socket.room('any')).toEqualTypeOf<Room<string, number>>()
    // @ts-expect-error nothing is sent without a room
    socket.send('x')
    // @ts-expect-error no requests
    socket.request('x', 1)

    const messages = new AuthedSocket<{ send: string; message: number }>(options)
    messages.send('x')
    messages.on('message', ({ data }) => expectTypeOf(data).toEqualTypeOf<number>())
    // @ts-expect-error no rooms
    messages.room('x')
  })

  it('may list rooms one by one', () => {
    interface Named {
      rooms: { one: { send: 1; message: 'one' }; two: { send: 2; message: 'two' } }
    }
    const socket = new AuthedSocket<Named>(options)
    socket.room('one').send(1)
    socket.room('two').send(2)
    // @ts-expect-error what the other one sends
    socket.room('one').send(2)
    const either = 'one' as 'one' | 'two'
    expectTypeOf(socket.room(either)).toEqualTypeOf<Room<1 | 2, 'one' | 'two'>>()
  })
})

describe('a wrong schema', () => {
  it('is an error where it stands', () => {
    // @ts-expect-error a member that no schema has
    new AuthedSocket<{ room: { a: { send: 1; message: 1 } } }>(options)
    // @ts-expect-error a room without messages
    new AuthedSocket<{ rooms: { a: { send: 1 } } }>(options)
    // @ts-expect-error a room that is none
    new AuthedSocket<{ rooms: { a: string } }>(options)
    // @ts-expect-error a request without a response
    new AuthedSocket<{ requests: { a: { request: 1 } } }>(options)
    interface Misspelt {
      rooms: { a: { send: 1; message: 1 } }
      mesage: string
    }
    // @ts-expect-error as an interface, too
    new AuthedSocket<Misspelt>(options)
  })
})

describe('no schema', () => {
  it('takes everything, and knows nothing of what comes', async () => {
    const socket = new AuthedSocket({
      url: '/ws',
      auth: () => null,
      transmission: viaQuery(),
      protocol: plain(),
    })
    expectTypeOf(socket).toEqualTypeOf<AuthedSocket>()
    for (const data of [1, 'x', null, undefined, {}, [], new ArrayBuffer(1)]) socket.send(data)
    const room = socket.room('any' as string)
    expectTypeOf(room).toEqualTypeOf<Room<unknown, unknown>>()
    expectTypeOf(room).toEqualTypeOf<Room>()
    room.send(Symbol('whatever'))
    room.on('message', ({ data }) => {
      expectTypeOf(data).toEqualTypeOf<unknown>()
      // @ts-expect-error check it first
      data.text
    })
    for await (const { data } of room) expectTypeOf(data).toEqualTypeOf<unknown>()
    socket.on('message', ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>())
    expectTypeOf(socket.request('any', 1)).toEqualTypeOf<Promise<unknown>>()
    expectTypeOf(await socket.join('any')).toEqualTypeOf<Room>()
  })
})
