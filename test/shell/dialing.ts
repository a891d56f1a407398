import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket as UndiciSocket } from 'undici'
import { WebSocketServer, WebSocket as WsSocket } from 'ws'
import { type DialEnd, type DialedSocket, dial } from '../../src/shell/dialer.ts'
import type { WebSocketConstructor } from '../../src/shell/websocket.ts'
import type { Handshake } from '../../src/transmissions/transmission.ts'

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

export const RUNTIMES: { name: 'ws' | 'undici'; Native: WebSocketConstructor }[] = [
  { name: 'ws', Native: WsSocket },
  { name: 'undici', Native: UndiciSocket },
]
export const WS: WebSocketConstructor = WsSocket

export interface Dialed {
  readonly socket: DialedSocket
  /** `opened`, `frame`, `closing`, `ended`, in order. */
  readonly events: string[]
  readonly frames: (string | ArrayBuffer)[]
  readonly ends: DialEnd[]
  readonly opened: Promise<void>
  readonly ended: Promise<DialEnd>
}

export function dialTo(
  url: string,
  Native: WebSocketConstructor,
  handshake: Partial<Handshake> = {},
  options?: object,
): Dialed {
  const events: string[] = []
  const frames: (string | ArrayBuffer)[] = []
  const ends: DialEnd[] = []
  const opened = deferred<void>()
  const ended = deferred<DialEnd>()
  const socket = dial(
    { url: new URL(url), protocols: [], headers: {}, ...handshake },
    Native,
    options,
    {
      opened: () => {
        events.push('opened')
        opened.resolve(undefined)
      },
      frame: (data) => {
        events.push('frame')
        frames.push(data)
      },
      ignored: () => events.push('ignored'),
      closing: () => {
        events.push('closing')
      },
      ended: (end) => {
        events.push('ended')
        ends.push(end)
        ended.resolve(end)
      },
    },
  )
  return { socket, events, frames, ends, opened: opened.promise, ended: ended.promise }
}

function deferred<Value>(): {
  promise: Promise<Value>
  resolve: (value: Value) => void
} {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

export interface BareServer {
  readonly url: string
  readonly port: number
  /** Every handshake that arrived. */
  readonly handshakes: IncomingMessage[]
  readonly sockets: WsSocket[]
  readonly received: (string | Buffer)[]
  close(): Promise<void>
}

const offeredBy = ({ headers }: IncomingMessage): string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim())

/** Accepts everybody, unless `answer` writes the answer to the handshake itself. */
export async function startBareServer(answer?: string): Promise<BareServer> {
  const http: Server = createServer()
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: true,
    handleProtocols: (_, request) => offeredBy(request)[0] ?? false,
  })
  const handshakes: IncomingMessage[] = []
  const sockets: WsSocket[] = []
  const received: (string | Buffer)[] = []
  http.on('upgrade', (request, socket, head) => {
    handshakes.push(request)
    socket.on('error', () => socket.destroy())
    if (answer !== undefined) {
      socket.end(answer)
      return
    }
    wss.handleUpgrade(request, socket, head, (accepted) => {
      sockets.push(accepted)
      accepted.on('error', () => accepted.terminate())
      accepted.on('message', (data, isBinary) => {
        // `ws` gives a Buffer unless binaryType says otherwise.
        received.push(isBinary ? (data as Buffer) : String(data))
      })
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}/`,
    port,
    handshakes,
    sockets,
    received,
    close: async () => {
      for (const socket of sockets) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

type Listener = (event: object) => void

/** A WebSocket that does what a test says, and nothing by itself. */
export class ScriptedSocket {
  static made: ScriptedSocket[] = []
  readyState = 0
  binaryType = 'blob'
  /** `undefined` where the runtime shows none. */
  protocol: string | null | undefined
  readonly sent: unknown[] = []
  readonly #listeners = new Map<string, Set<Listener>>()

  constructor(
    readonly url: string,
    readonly protocols?: string[],
  ) {
    ScriptedSocket.made.push(this)
  }

  static get last(): ScriptedSocket {
    const last = ScriptedSocket.made.at(-1)
    if (last === undefined) throw new Error('no socket was made')
    return last
  }

  addEventListener(type: string, listener: Listener): void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener)
  }

  send(data: unknown): void {
    this.sent.push(data)
  }

  /** As of a peer that never answers. */
  close(): void {
    this.readyState = 2
  }

  open(): void {
    this.readyState = 1
    this.#fire('open', {})
  }

  message(data: unknown): void {
    this.#fire('message', { data })
  }

  error(message?: string): void {
    this.#fire('error', { message })
  }

  closed(code: number, reason = ''): void {
    this.readyState = 3
    this.#fire('close', { code, reason })
  }

  #fire(type: string, event: object): void {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event)
  }
}
export const SCRIPTED: WebSocketConstructor = ScriptedSocket
