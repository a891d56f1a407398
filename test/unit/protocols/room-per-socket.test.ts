import { describe, expect, it } from 'vitest'
import { roomPerSocket } from '../../../src/protocols/room-per-socket.ts'

const CONTEXT = { clientId: '00'.repeat(16) }
const isWelcome = (data: unknown) =>
  typeof data === 'object' &&
  data !== null &&
  'message' in data &&
  String(data.message).startsWith('Welcome, ')

describe('roomPerSocket()', () => {
  it('joins by opening a socket, and acknowledges nothing', () => {
    const protocol = roomPerSocket()
    expect(protocol).toMatchObject({
      rooms: { kind: 'per-socket' },
      greets: false,
      acknowledges: false,
    })
    expect('url' in protocol).toBe(false)
    expect(Object.keys(protocol.codec(CONTEXT)).sort()).toEqual(['read', 'send'])
  })

  it('has a URL of its own where given', () => {
    expect(roomPerSocket({ url: '/ws/chat/{room}/' }).url).toBe('/ws/chat/{room}/')
  })

  it('does not depend on its greeting: a server that says none is accepted as well', () => {
    expect(roomPerSocket({ greeting: isWelcome }).greets).toBe(false)
  })

  it.each<[string, string, unknown]>([
    [
      'the hello of Channels and of FastAPI',
      '{"message": "Welcome, alice!"}',
      { kind: 'message', data: { message: 'Welcome, alice!' }, greeting: true },
    ],
    [
      'a message',
      '{"message": "hi", "username": "alice"}',
      { kind: 'message', data: { message: 'hi', username: 'alice' } },
    ],
    ['the echo of FastAPI', 'Message from a: {}', { kind: 'message', data: 'Message from a: {}' }],
    ['null', 'null', { kind: 'message', data: null }],
  ])('reads %s', (_name, frame, incoming) => {
    expect(roomPerSocket({ greeting: isWelcome }).codec(CONTEXT).read(frame)).toEqual(incoming)
  })

  it('reports a greeting function that throws', () => {
    const greeting = () => {
      throw new Error('secret content')
    }
    expect(roomPerSocket({ greeting }).codec(CONTEXT).read('{}')).toEqual({
      kind: 'unreadable',
      detail: 'greeting() threw Error',
    })
  })

  it('sends without naming the room', () => {
    expect(roomPerSocket().codec(CONTEXT).send('lobby', { message: 'hi' }, 3)).toBe(
      '{"message":"hi"}',
    )
  })
})
