import { once } from 'node:events'
import type { ClientOptions } from 'ws'
import { WebSocket } from 'ws'

export interface Ending {
  code: number
  reason: string
  /** Of a refused handshake. */
  status?: number
}

export type Frame = Record<string, unknown>

/** A bare `ws` client that keeps everything that arrives, from the first byte on. */
export class RawClient {
  readonly socket: WebSocket
  readonly ended: Promise<Ending>
  opened = false
  readonly frames: Frame[] = []
  #wake: () => void = () => {}

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(url, protocols, options)
    this.socket.on('open', () => {
      this.opened = true
    })
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse((data as Buffer).toString()) as Frame)
      this.#wake()
    })
    this.ended = this.#end()
  }

  #end(): Promise<Ending> {
    return new Promise((resolve) => {
      let status: number | undefined
      this.socket.on('error', (error) => {
        const match = /response: (\d+)/.exec(error.message)
        if (match) status = Number(match[1])
      })
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString(), ...(status === undefined ? {} : { status }) })
      })
    })
  }

  async open(): Promise<this> {
    if (!this.opened) await once(this.socket, 'open')
    return this
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** Takes the first frame out that fits; waits for it. */
  async take(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const index = this.frames.findIndex(fits)
      if (index >= 0) return this.frames.splice(index, 1)[0] ?? {}
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  takeType(type: string): Promise<Frame> {
    return this.take((frame) => frame['type'] === type)
  }
}

export interface JsonAnswer {
  status: number
  body: Record<string, string>
  headers: Headers
}

export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    redirect: 'manual',
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, string>),
    headers: response.headers,
  }
}
