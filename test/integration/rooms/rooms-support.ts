/** Clients of the reference server that a test can cut off, and what their rooms have heard. */
import { onTestFinished } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  type Gap,
  type MultiplexedOptions,
  multiplexed,
  type PresenceChange,
  type Room,
  viaHeader,
} from '../../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../../servers/node/server.ts'
import type { Settings } from '../../servers/node/state.ts'
import { type Front, startFront } from '../../support/front.ts'

export interface Guest {
  readonly socket: AuthedSocket
  /** Between this client and the server. */
  readonly front: Front
  readonly errors: unknown[]
}

export interface Heard {
  readonly room: Room
  readonly data: unknown[]
  readonly seqs: number[]
  readonly gaps: Gap[]
  readonly joins: boolean[]
  readonly presence: PresenceChange[]
}

export const hosted = async (settings: Partial<Settings> = {}): Promise<ReferenceServer> => {
  const server = await createReferenceServer()
  await server.settings(settings)
  onTestFinished(() => server.close())
  return server
}

/** Delays are a hundredth of what they are. */
export const guestOf = async (
  server: ReferenceServer,
  user = 'alice',
  options: MultiplexedOptions & Partial<AuthedSocketOptions> = {},
): Promise<Guest> => {
  const { joinInUrl = false, ...more } = options
  const front = await startFront({ target: server.port })
  const { access } = await server.mint({ user })
  const socket = new AuthedSocket({
    url: `${front.wsUrl}/ws/rooms`,
    auth: () => access,
    transmission: viaHeader(),
    protocol: multiplexed({ joinInUrl }),
    retry: { scale: 0.01 },
    ...more,
  })
  const errors: unknown[] = []
  socket.on('error', (error) => errors.push(error))
  onTestFinished(async () => {
    await socket.disconnect()
    await front.close()
  })
  return { socket, front, errors }
}

export const listen = (room: Room): Heard => {
  const heard: Heard = { room, data: [], seqs: [], gaps: [], joins: [], presence: [] }
  room.on('message', ({ data, meta }) => {
    heard.data.push(data)
    heard.seqs.push(meta.seq ?? -1)
  })
  room.on('gap', (gap) => heard.gaps.push(gap))
  room.on('joined', ({ rejoined }) => heard.joins.push(rejoined))
  room.on('presence', (change) => heard.presence.push(change))
  return heard
}

/** In `lobby`, listening. */
export const inLobby = async (
  server: ReferenceServer,
  user?: string,
  options?: Parameters<typeof guestOf>[2],
): Promise<Guest & Heard> => {
  const guest = await guestOf(server, user, options)
  const heard = listen(guest.socket.room('lobby'))
  await heard.room.join()
  return { ...guest, ...heard }
}

/** Frames of a type that the server received of everybody. */
export const framesOf = async (server: ReferenceServer, type: string): Promise<object[]> => {
  const received = await server.received()
  return received
    .map(({ data }) => JSON.parse(String(data)) as { type: string })
    .filter((frame) => frame.type === type)
}
