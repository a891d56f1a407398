/** Finds a WebSocket constructor where the user gave none. */

import { importWs } from './ws-package.ts'

/** What all of them have: browsers', Node's, `ws`, undici's, mock-socket's. */
export interface WebSocketLike {
  readonly readyState: number
  close(code?: number, reason?: string): void
}
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

/** What is looked up by name here, and missing in most runtimes. */
interface NodeGlobals {
  readonly WebSocket?: unknown
  readonly process?: {
    readonly versions?: { readonly bun?: string }
    getBuiltinModule?(name: string): { readonly WebSocket?: unknown } | undefined
  }
}

/**
 * The global one. In Node `ws` comes before the own one, which lets go of no dead peer and cannot ping
 * (docs/decisions/034-ws-before-nodes-own.md), unless the options are undici's, as the own one is.
 *
 * @throws {TypeError} when there is neither
 */
export const findWebSocket = async (options: object = {}): Promise<WebSocketConstructor> => {
  const { WebSocket } = globalThis as NodeGlobals
  // The platform's constructor has every member that is used here.
  const global = WebSocket as WebSocketConstructor | undefined
  if (global && (!isNodesOwn(global) || 'dispatcher' in options)) return global
  const ws = await findWs()
  if (ws && (!global || isPeer(ws))) return ws
  if (global) return global
  throw new TypeError('no WebSocket here: `npm install ws`, or pass the option `WebSocket`')
}

/**
 * `ws` where it is installed, which shows more of a handshake than others do; else as above.
 *
 * @throws {TypeError} when there is neither
 */
export const findNodeWebSocket = async (): Promise<WebSocketConstructor> =>
  (await findWs()) ?? findWebSocket()

const findWs = async (): Promise<WebSocketConstructor | undefined> => {
  const module: { WebSocket?: unknown } = await importWs().catch(() => ({}))
  // Of the package, or `undefined`.
  return module.WebSocket as WebSocketConstructor | undefined
}

/** Nobody replaced it: `node:http` exports the same one. Bun does so too, and its own one has no such faults. */
const isNodesOwn = (found: unknown): boolean => {
  const { process } = globalThis as NodeGlobals
  return !process?.versions?.bun && process?.getBuiltinModule?.('node:http')?.WebSocket === found
}

/** From 8.18 on, where the peer range begins, it takes Blobs. The version is written in no module of it. */
const isPeer = ({ prototype }: WebSocketConstructor): boolean => {
  const socket: { binaryType?: string } = Object.create(prototype)
  try {
    socket.binaryType = 'blob'
    return socket.binaryType === 'blob' && 'ping' in prototype
  } catch {
    return false
  }
}
