import { describe, expect, test } from 'vitest'
import { roomPerSocket } from '../../../src/index.ts'
import {
  ACCEPT,
  outcomeOf,
  pass,
  REFUSE,
  SECOND,
  sessionStoryOf,
  tellStories,
} from '../../support/story.ts'

tellStories()

const MINUTE = 60 * SECOND
const as = (username: string) => ({ username, password: 'secret' })

describe('Somebody else', () => {
  test('finds no rooms, no queue and no unread message of who was there before', async () => {
    const { server, session, socket, login } = sessionStoryOf({}, { protocol: roomPerSocket() })
    await login('ann')
    const lobby = socket.room('lobby')
    lobby.join()
    await pass(SECOND)
    const left: string[] = []
    lobby.on('left', ({ reason }) => left.push(reason))
    const stream = lobby[Symbol.asyncIterator]()
    server.say('for ann')
    await pass(SECOND)
    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(10)
    const sent = outcomeOf(lobby.send('from ann'))
    session.switch(as('bob'))
    await pass(MINUTE)
    expect([left, lobby.state, sent.is]).toEqual([['signed-out'], 'idle', 'NotConnectedError'])
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    const dials = server.dials.length
    await pass(MINUTE)
    expect(server.dials.length).toBe(dials)
    server.receive = () => ACCEPT
    socket.room('lobby').join()
    await pass(SECOND)
    expect([lobby.state, socket.identity]).toEqual(['joined', 'bob'])
  })

  test.each(['connected', 'statechange'] as const)(
    'does not read what was on its way to who was there before (logout at %s)',
    async (event) => {
      const { server, session, socket, login } = sessionStoryOf()
      await login('ann')
      server.receive = () => ({ kind: 'accept', greeting: 'for ann' })
      socket.on(event, () => {
        if (socket.identity === 'ann' && socket.state === 'connected') session.logout()
      })
      const connected = outcomeOf(socket.connect())
      await pass(SECOND)
      server.receive = () => ({ kind: 'accept', greeting: 'for bob' })
      await login('bob')
      const seen: unknown[] = []
      socket.connect()
      socket.on('message', ({ data }) => seen.push(data))
      await pass(SECOND)
      expect([seen, connected.is]).toEqual([['for bob'], 'NotConnectedError'])
    },
  )

  test('does not read what waited for a listener of who was there before', async () => {
    const { server, session, socket, login } = sessionStoryOf()
    server.receive = () => ({ kind: 'accept', greeting: 'for ann' })
    // Nobody is signed in yet; once somebody is, the socket connects by itself, and nobody listens.
    const connected = outcomeOf(socket.connect())
    await pass(SECOND)
    await login('ann')
    await pass(SECOND)
    expect([connected.is, socket.state]).toEqual(['TokenRefusedError', 'connected'])
    session.logout()
    server.receive = () => ({ kind: 'accept', greeting: 'for bob' })
    await login('bob')
    const seen: unknown[] = []
    socket.on('message', ({ data }) => seen.push(data))
    socket.connect()
    await pass(SECOND)
    expect(seen).toEqual(['for bob'])
  })

  test('sends nothing on a socket that is not closed yet', async () => {
    const { server, session, socket, login, another } = sessionStoryOf()
    await login('ann')
    const other = another()
    socket.connect()
    other.connect()
    await pass(MINUTE)
    // In the middle of the change, one socket has gone and the other has not.
    socket.on('disconnected', () => other.send(`by whoever is there`))
    other.on('disconnected', () => socket.send(`by whoever is there`))
    session.switch(as('bob'))
    await pass(MINUTE)
    expect(server.received.map(({ dial }) => dial.number > 2)).toEqual([true, true])
  })

  test('comes by a login as well, and the session says so', async () => {
    const { session, socket, login } = sessionStoryOf()
    const events: string[] = []
    session.on('signedin', () => events.push(`in ${session.signedIn}`))
    session.on('signedout', () => events.push(`out ${session.signedIn}`))
    await login('ann')
    socket.connect()
    await pass(SECOND)
    await login('ann')
    expect(events).toEqual(['in true'])
    await login('bob')
    expect(events).toEqual(['in true', 'out false', 'in true'])
    expect(session.signedIn).toBe(true)
    await pass(SECOND)
    expect([socket.state, socket.identity]).toEqual(['connected', 'bob'])
  })

  test('who connects again the moment that the socket is lost waits for the new one', async () => {
    const { session, socket, login } = sessionStoryOf()
    await login('ann')
    socket.connect()
    await pass(MINUTE)
    socket.on('disconnected', () => socket.connect())
    session.logout()
    await pass(SECOND)
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    await login('bob')
    await pass(SECOND)
    expect([socket.state, socket.identity]).toEqual(['connected', 'bob'])
  })
})

describe('A token of somebody else', () => {
  test('is no renewal: the socket that is open stays, and nobody is changed', async () => {
    const { server, session, socket, login } = sessionStoryOf({ lifetimeMs: MINUTE })
    await login('ann')
    socket.connect()
    await pass(SECOND)
    const { mint } = server
    server.mint = () => mint.call(server, 'bob')
    server.closeAll(4003)
    await pass(SECOND)
    expect(socket.status).toMatchObject({ state: 'waiting', error: { code: 'TOKEN_INVALID' } })
    expect([socket.identity, session.signedIn]).toEqual(['ann', true])
    expect(server.dials.length).toBe(1)
  })
})
