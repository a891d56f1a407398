/** What the servers and the runtimes are like: data, from which the expectations of all cells follow. */
import { SERVER_NAMES, type ServerName } from '../support/servers.ts'
import type { CarrierName, EndpointName, ProtocolName, RuntimeName } from './cell.ts'

export interface EndpointTraits {
  readonly name: EndpointName
  readonly path: string
  readonly protocol: ProtocolName
  readonly carriers: readonly CarrierName[]
  /** `before-accept`: as an HTTP status, so that browsers see 1006; `after-accept`: as a close code. */
  readonly refuses: 'before-accept' | 'after-accept'
  /** What a token of a deleted account is answered with, where it differs from any other refusal. */
  readonly deletedUserStatus?: number
  /** Ends sockets at their token's expiry, when told to. */
  readonly watchesExpiry: boolean
  readonly welcomes: boolean
  /** The first room of a message comes back to its sender. */
  readonly echoes: boolean
  /** Like another endpoint but for the way in: only what concerns that is played. */
  readonly isWayIn?: true
}

export interface ServerTraits {
  readonly name: ServerName
  readonly dialect: 'simple-jwt' | 'password-grant'
  readonly endpoints: readonly EndpointTraits[]
  /** Close codes that the server's own WebSocket library refuses to send, and what arrives instead. */
  readonly turnsCodes: Readonly<Record<number, number>>
  /** Where a close may be seen as 1006: the TCP connection ends before the client has answered the close. */
  readonly losesCodesIn: readonly RuntimeName[]
}

export interface RuntimeTraits {
  readonly name: RuntimeName
  readonly showsStatus: boolean
  readonly setsHeaders: boolean
}

export const RUNTIMES: Readonly<Record<RuntimeName, RuntimeTraits>> = {
  ws: { name: 'ws', showsStatus: true, setsHeaders: true },
  undici: { name: 'undici', showsStatus: false, setsHeaders: true },
  chromium: { name: 'chromium', showsStatus: false, setsHeaders: false },
}

const ALL: readonly CarrierName[] = ['query', 'pair', 'bearer', 'header', 'cookie']

const chat = {
  protocol: 'room-per-socket',
  refuses: 'after-accept',
  watchesExpiry: true,
  welcomes: true,
  echoes: true,
} as const

const FIRST: readonly CarrierName[] = ['first-message']

const NODE: readonly EndpointTraits[] = [
  { ...chat, name: 'v2', path: '/ws/chat/{room}', carriers: ALL },
  { ...chat, name: 'first', path: '/ws/first/{room}', carriers: FIRST },
  {
    ...chat,
    name: 'rooms',
    path: '/ws/rooms',
    protocol: 'multiplexed',
    carriers: [...ALL, ...FIRST],
    welcomes: false,
  },
  { ...chat, name: 'plain', path: '/ws/plain', protocol: 'plain', carriers: ALL },
]

const FASTAPI: readonly EndpointTraits[] = [
  {
    ...chat,
    name: 'article',
    path: '/ws/chat/{room}',
    carriers: ['query'],
    refuses: 'before-accept',
    watchesExpiry: false,
  },
  { ...chat, name: 'v2', path: '/ws/v2/chat/{room}', carriers: ALL },
  {
    ...chat,
    name: 'first',
    path: '/ws/v2/first/{room}',
    carriers: FIRST,
    watchesExpiry: false,
    isWayIn: true,
  },
]

const CHANNELS: readonly EndpointTraits[] = [
  {
    ...chat,
    name: 'article',
    path: '/ws/chat/{room}/',
    carriers: ['query'],
    refuses: 'before-accept',
    deletedUserStatus: 500,
    watchesExpiry: false,
  },
  { ...chat, name: 'v2', path: '/ws/v2/chat/{room}/', carriers: ALL },
  {
    ...chat,
    name: 'first',
    path: '/ws/v2/first/{room}/',
    carriers: FIRST,
    watchesExpiry: false,
    isWayIn: true,
  },
  {
    ...chat,
    name: 'session',
    path: '/ws/session/{room}/',
    carriers: ['session'],
    refuses: 'before-accept',
    watchesExpiry: false,
  },
  {
    ...chat,
    name: 'v2-session',
    path: '/ws/v2/session/{room}/',
    carriers: ['session'],
    watchesExpiry: false,
  },
]

const exact = { turnsCodes: {}, losesCodesIn: [] }

export const SERVERS: Readonly<Record<ServerName, ServerTraits>> = {
  node: { name: 'node', dialect: 'simple-jwt', endpoints: NODE, ...exact },
  'fastapi-websockets': {
    name: 'fastapi-websockets',
    dialect: 'password-grant',
    endpoints: FASTAPI,
    ...exact,
  },
  'fastapi-wsproto': {
    name: 'fastapi-wsproto',
    dialect: 'password-grant',
    endpoints: FASTAPI,
    ...exact,
  },
  'channels-daphne': {
    name: 'channels-daphne',
    dialect: 'simple-jwt',
    endpoints: CHANNELS,
    // autobahn: "invalid close code 1008 (must be 1000 or from [3000, 4999])".
    turnsCodes: { 1008: 1011, 1011: 1011, 1012: 1011 },
    losesCodesIn: ['chromium'],
  },
  'channels-uvicorn-websockets': {
    name: 'channels-uvicorn-websockets',
    dialect: 'simple-jwt',
    endpoints: CHANNELS,
    ...exact,
  },
  'channels-uvicorn-wsproto': {
    name: 'channels-uvicorn-wsproto',
    dialect: 'simple-jwt',
    endpoints: CHANNELS,
    ...exact,
  },
}

export const ALL_SERVERS = SERVER_NAMES
