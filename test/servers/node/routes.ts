import { serveChat } from './chat.ts'
import { watchExpiry } from './connections.ts'
import type { Admission, RoomsService } from './rooms/service.ts'
import { PROTOCOL } from './rooms/service.ts'
import type { Connection, ServerState } from './state.ts'
import { chooseProtocol } from './transmissions.ts'

export type Route = (
  | { endpoint: 'chat'; room: string }
  | { endpoint: 'plain' }
  | { endpoint: 'rooms' }
) & {
  /** Without a token in the handshake it waits for one in the first frame. */
  waits?: true
}

/** What the handshake needs to know about the endpoints. */
export interface Services {
  /** False: a client of some other protocol, which has to be told so before it waits for a welcome. */
  speaks(route: Route, offered: readonly string[]): boolean
  protocol(route: Route, offered: readonly string[]): string | false
  /** A handshake without a token is accepted all the same: it comes in the first message. */
  waitsForToken(route: Route): boolean
  serve(connection: Connection, route: Route, admission: Admission): void
}

const CHAT_PREFIX = '/ws/chat/'
/** The same chat, for clients that say who they are in the first frame. */
const FIRST_PREFIX = '/ws/first/'

function chatRoom(path: string, prefix: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined
  const [segment, ...more] = path.slice(prefix.length).replace(/\/$/, '').split('/')
  if (segment === undefined || segment === '' || more.length > 0) return undefined
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

export function routeOf(path: string): Route | undefined {
  if (path === '/ws/rooms') return { endpoint: 'rooms', waits: true }
  if (path === '/ws/plain') return { endpoint: 'plain' }
  const first = chatRoom(path, FIRST_PREFIX)
  if (first !== undefined) return { endpoint: 'chat', room: first, waits: true }
  const room = chatRoom(path, CHAT_PREFIX)
  return room === undefined ? undefined : { endpoint: 'chat', room }
}

export function createServices(state: ServerState, rooms: RoomsService): Services {
  return {
    speaks: (route, offered) => route.endpoint !== 'rooms' || offered.includes(PROTOCOL),
    protocol(route, offered) {
      if (route.endpoint !== 'rooms') return chooseProtocol(offered)
      return offered.includes(PROTOCOL) ? PROTOCOL : false
    },
    waitsForToken: (route) => route.endpoint === 'rooms',
    serve(connection, route, admission) {
      if (route.endpoint === 'rooms') {
        rooms.serve(connection, admission)
        return
      }
      watchExpiry(state, connection, admission.expiresAt)
      serveChat(state, connection, route.endpoint === 'chat' ? route.room : null)
    },
  }
}
