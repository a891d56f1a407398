import { describe, expectTypeOf, it } from 'vitest'
import {
  type Action,
  type AnyAuthedSocketError,
  AuthedSocket,
  type AuthedSocketOptions,
  cookieSession,
  type ErrorCode,
  fixedToken,
  isAuthedSocketError,
  type Message,
  multiplexed,
  passwordGrant,
  plain,
  roomPerSocket,
  type ServerClosedError,
  type SocketEvents,
  type Status,
  simpleJwt,
  viaCookie,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../src/index.ts'

declare const socket: AuthedSocket

const RIGHT = {
  url: 'wss://host.example/',
  auth: () => null,
  transmission: viaQuery(),
  protocol: plain(),
} satisfies AuthedSocketOptions

describe('the status', () => {
  it('is a union that its state narrows', () => {
    const status: Status = socket.status
    expectTypeOf(status.state).toEqualTypeOf<
      'idle' | 'authenticating' | 'connecting' | 'connected' | 'waiting' | 'failed'
    >()
    expectTypeOf(socket.state).toEqualTypeOf<Status['state']>()
    switch (status.state) {
      case 'idle':
      case 'authenticating':
      case 'connecting':
        expectTypeOf(status.everConnected).toEqualTypeOf<boolean>()
        expectTypeOf(status.downSince).toEqualTypeOf<number | undefined>()
        // @ts-expect-error nothing has failed
        status.error
        break
      case 'connected':
        expectTypeOf(status.tokenExpiresAt).toEqualTypeOf<number | undefined>()
        // @ts-expect-error it is not down
        status.downSince
        break
      case 'waiting':
        expectTypeOf(status.retryAt).toEqualTypeOf<number>()
        expectTypeOf(status.attempt).toEqualTypeOf<number>()
        expectTypeOf(status.downSince).toEqualTypeOf<number>()
        expectTypeOf(status.error).toEqualTypeOf<AnyAuthedSocketError>()
        // @ts-expect-error nobody can mend what mends itself
        status.action
        // @ts-expect-error what the machines know stays with them
        status.problem
        break
      case 'failed':
        expectTypeOf(status.error).toEqualTypeOf<AnyAuthedSocketError>()
        expectTypeOf(status.action).toEqualTypeOf<Action>()
        // @ts-expect-error nothing is tried
        status.retryAt
        break
      default:
        expectTypeOf(status).toEqualTypeOf<never>()
    }
    // @ts-expect-error immutable
    status.state = 'idle'
  })

  it('fits useSyncExternalStore', () => {
    expectTypeOf(socket.subscribe).toEqualTypeOf<(listener: () => void) => () => void>()
    expectTypeOf(socket.getSnapshot).toEqualTypeOf<() => Status>()
  })
})

describe('errors', () => {
  it('are narrowed by their code', () => {
    const caught: unknown = new Error()
    if (!isAuthedSocketError(caught)) return
    expectTypeOf(caught).toEqualTypeOf<AnyAuthedSocketError>()
    expectTypeOf<typeof caught.code>().toEqualTypeOf<ErrorCode>()
    switch (caught.code) {
      case 'SERVER_CLOSED':
        expectTypeOf(caught).toEqualTypeOf<ServerClosedError>()
        expectTypeOf(caught.closeCode).toEqualTypeOf<number>()
        expectTypeOf(caught.reason).toEqualTypeOf<string>()
        break
      case 'HANDSHAKE_REFUSED':
        expectTypeOf(caught.status).toEqualTypeOf<number | undefined>()
        break
      case 'TOKEN_UNAVAILABLE':
        expectTypeOf(caught.retryAfterMs).toEqualTypeOf<number | undefined>()
        break
      case 'REQUEST_FAILED':
        expectTypeOf(caught.serverCode).toEqualTypeOf<string>()
        break
      case 'ROOM':
        expectTypeOf(caught.room).toEqualTypeOf<string>()
        break
      case 'CREDENTIAL_REJECTED':
      case 'INSECURE_URL':
      case 'NOT_CONNECTED':
      case 'OUTBOX_FULL':
      case 'SEND_UNKNOWN':
      case 'SUBPROTOCOL':
      case 'TOKEN_INVALID':
      case 'TOKEN_REFUSED':
        // @ts-expect-error only of a closed socket
        caught.closeCode
        break
      default:
        expectTypeOf(caught).toEqualTypeOf<never>()
    }
    // @ts-expect-error no such code
    caught.code === 'SERVER_CLOSD'
  })

  it('are errors', () => {
    expectTypeOf<AnyAuthedSocketError>().toExtend<Error>()
    expectTypeOf<AnyAuthedSocketError['cause']>().toEqualTypeOf<unknown>()
  })
})

describe('events', () => {
  it('have a payload each', () => {
    expectTypeOf<SocketEvents<string>['message']>().toEqualTypeOf<Message<string>>()
    socket.on('statechange', ({ status, previous }) => {
      expectTypeOf(status).toEqualTypeOf<Status>()
      expectTypeOf(previous).toEqualTypeOf<Status>()
    })
    socket.on('connected', ({ reconnected }) => expectTypeOf(reconnected).toEqualTypeOf<boolean>())
    socket.on('disconnected', ({ willRetry, code, reason }) => {
      expectTypeOf(willRetry).toEqualTypeOf<boolean>()
      expectTypeOf(code).toEqualTypeOf<number>()
      expectTypeOf(reason).toEqualTypeOf<string>()
    })
    socket.once('signinrequired', ({ error }) =>
      expectTypeOf(error).toEqualTypeOf<AnyAuthedSocketError>(),
    )
    socket.on('error', (error) => expectTypeOf(error).toEqualTypeOf<unknown>())
    socket.on('gap', ({ reason }) => expectTypeOf(reason).toExtend<string>())
    expectTypeOf(socket.on('connected', async () => {})).toEqualTypeOf<() => void>()
    socket.on('connected', () => {}, { signal: AbortSignal.timeout(1) })
    // @ts-expect-error no such event
    socket.on('conected', () => {})
    // @ts-expect-error no such event
    socket.once('close', () => {})
    // @ts-expect-error the payload of another event
    socket.on('connected', ({ willRetry }) => willRetry)
    // @ts-expect-error no listener
    socket.on('connected')
    // @ts-expect-error no such option
    socket.on('connected', () => {}, { once: true })
  })
})

describe('verbs', () => {
  it('give promises of nothing', () => {
    for (const verb of [
      socket.connect,
      socket.disconnect,
      socket.reconnect,
      socket.reauthenticate,
      socket.tokenChanged,
    ])
      expectTypeOf(verb).returns.toEqualTypeOf<Promise<void>>()
    socket.connect({ signal: AbortSignal.timeout(1) })
    // @ts-expect-error no such option
    socket.connect({ timeoutMs: 1 })
    expectTypeOf(socket.identity).toEqualTypeOf<string | undefined>()
    expectTypeOf<AuthedSocket>().toExtend<AsyncDisposable>()
  })
})

describe('options', () => {
  const make = (changes: Partial<AuthedSocketOptions>) => new AuthedSocket({ ...RIGHT, ...changes })

  it('take every kind of token source', () => {
    make({ auth: () => 'token' })
    make({ auth: async () => 'token' })
    make({ auth: () => null })
    make({ auth: () => ({ token: 'x', expiresInMs: 1 }) })
    make({ auth: async () => ({ token: 'x', expiresAt: 1 }) })
    make({ auth: () => ({ token: 'x' }) })
    make({
      auth: ({ reason, fresh, signal }) => {
        expectTypeOf(reason).toEqualTypeOf<'connect' | 'reconnect' | 'renewal' | 'rejected'>()
        expectTypeOf(fresh).toEqualTypeOf<boolean>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return null
      },
    })
    make({ auth: fixedToken('x') })
    make({ auth: cookieSession() })
    make({ auth: simpleJwt({ obtain: '/a', refresh: '/b' }) })
    make({ auth: passwordGrant({ url: '/a' }) })
    // @ts-expect-error undefined is no token; null means signed out
    make({ auth: () => undefined })
    // @ts-expect-error no token
    make({ auth: async () => ({ expiresInMs: 1 }) })
    // @ts-expect-error a number is no token
    make({ auth: () => 1 })
    // @ts-expect-error two expiries
    make({ auth: () => ({ token: 'x', expiresInMs: 1, expiresAt: 1 }) })
    // @ts-expect-error a token is no source: fixedToken()
    make({ auth: 'token' })
  })

  it('take what the makers make', () => {
    for (const transmission of [viaQuery(), viaHeader(), viaCookie(), viaSubprotocol('bearer')])
      make({ transmission })
    for (const protocol of [plain(), roomPerSocket(), multiplexed()]) make({ protocol })
    make({ closePolicy: { 4003: 'retry', '4400-4499': { retryAfterMs: 1 } } })
    make({ closePolicy: (code, reason) => (code + reason === '' ? 'stop' : undefined) })
    make({ statusPolicy: (status) => (status === 401 ? 'sign-in' : undefined) })
    make({ url: ({ room, attempt }) => `wss://host.example/${room}/${attempt}` })
    // @ts-expect-error no such verdict
    make({ closePolicy: { 4003: 'reauth' } })
    // @ts-expect-error no such verdict
    make({ closePolicy: () => 'reauth' })
    // @ts-expect-error a name is no protocol
    make({ protocol: 'plain' })
    // @ts-expect-error a maker is no transmission: viaQuery()
    make({ transmission: viaQuery })
    // @ts-expect-error a string is no number of ms
    make({ settleMs: '5s' })
    // @ts-expect-error no such part
    make({ retry: { attempts: 3 } })
    // @ts-expect-error half a logger
    make({ logger: { debug: () => {} } })
  })

  it('must be there, and known', () => {
    const { url, auth, protocol, transmission } = RIGHT
    new AuthedSocket({ url, auth: cookieSession(), protocol })
    // @ts-expect-error no url
    new AuthedSocket({ auth, protocol, transmission })
    // @ts-expect-error no auth
    new AuthedSocket({ url, protocol, transmission })
    // @ts-expect-error no protocol
    new AuthedSocket({ url, auth, transmission })
    // @ts-expect-error unknown
    new AuthedSocket({ ...RIGHT, token: 'x' })
    // @ts-expect-error none at all
    new AuthedSocket()
  })

  it('take the constructors of the platforms', () => {
    make({ WebSocket: globalThis.WebSocket })
    make({ fetch: globalThis.fetch })
    make({ logger: console })
  })
})
