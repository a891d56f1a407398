import { inspect } from 'node:util'
import { onTestFinished, vi } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  type Protocol,
  plain,
  type Status,
  viaHeader,
} from '../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

export async function referenceServer(): Promise<ReferenceServer> {
  const server = await createReferenceServer()
  onTestFinished(() => server.close())
  return server
}

export interface Watched {
  readonly socket: AuthedSocket
  readonly events: [name: string, payload: unknown][]
  readonly errors: unknown[]
  readonly states: Status['state'][]
}

const EVENTS = [
  'statechange',
  'connected',
  'disconnected',
  'signinrequired',
  'message',
  'gap',
  'error',
] as const

/** Every event is kept; delays are a thousandth of what they are. */
export function watched(
  options: Omit<Partial<AuthedSocketOptions>, 'url'> & Pick<AuthedSocketOptions, 'url'>,
): Watched {
  const socket = new AuthedSocket({
    auth: () => 'token',
    transmission: viaHeader(),
    protocol: plain(),
    retry: { scale: 0.001 },
    settleMs: 20,
    ...options,
  })
  const events: Watched['events'] = []
  const errors: unknown[] = []
  const states: Watched['states'] = []
  for (const name of EVENTS) socket.on(name, (payload) => events.push([name, payload]))
  socket.on('error', (error) => errors.push(error))
  socket.on('statechange', ({ status }) => states.push(status.state))
  onTestFinished(() => socket.disconnect())
  return { socket, events, errors, states }
}

const PATHS: Record<string, string> = {
  plain: '/ws/plain',
  'room-per-socket': '/ws/chat/{room}/',
  multiplexed: '/ws/rooms',
}

/** As alice, on the endpoint that speaks the protocol. */
export async function watchedOn(
  server: ReferenceServer,
  protocol: Protocol = plain(),
  options: Partial<AuthedSocketOptions> = {},
): Promise<Watched> {
  const { access } = await server.mint({ user: 'alice' })
  const url = server.wsUrl + (PATHS[protocol.name] ?? '')
  return watched({ url, protocol, auth: () => access, ...options })
}

/** What `promise` was rejected with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${inspect(value)}`)
    },
    (error: unknown) => error,
  )

/** What a misused verb throws, or its promise is rejected with. */
export const misuse = async (run: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await rejection(run())
  } catch (error) {
    return error
  }
}

/** Collects what nobody handles; the test runner fails for it as well, somewhere else. */
export function unhandled(): unknown[] {
  const reasons: unknown[] = []
  const listener = (reason: unknown) => reasons.push(reason)
  process.on('unhandledRejection', listener)
  onTestFinished(() => {
    process.off('unhandledRejection', listener)
  })
  return reasons
}

const CONSOLE = ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const

/** Everything that somebody could read: console, events, errors, the socket itself. */
export function everythingSaid({ socket, events }: Watched, ...more: unknown[]): () => string {
  const spies = CONSOLE.map((name) => vi.spyOn(console, name).mockImplementation(() => {}))
  return () => {
    const printed = spies.flatMap(({ mock }) => mock.calls)
    const things = [printed, events, socket, socket.status, socket.identity, more]
    const stacks = events.flatMap(([, payload]) => stacksOf(payload))
    return [
      ...things.map((thing) => inspect(thing, { depth: 12, showHidden: true, getters: true })),
      ...stacks,
      JSON.stringify([events, socket.status]),
    ].join('\n')
  }
}

const stacksOf = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  if (value instanceof Error)
    return [`${value.name} ${value.message} ${value.stack}`, ...stacksOf(value.cause)]
  return Object.values(value).flatMap(stacksOf)
}
