/** A `WebSocket` of a test: what goes through each socket, and a hand on it. */
import { WebSocket as Ws } from 'ws'
import type { WebSocketConstructor } from '../../../src/index.ts'

interface Frame {
  readonly type: string
  readonly [member: string]: unknown
}

export interface Tapped {
  /** From 1. */
  readonly n: number
  readonly sent: Frame[]
  readonly received: Frame[]
  /** As when the network is gone: no close frame. */
  cut(): void
  /** What is sent from now on takes so many ms to leave. */
  slow(ms: number): void
}

/** What becomes of a frame from the server: another one, none, the same so many ms later, or the same. */
export type Meddling = (frame: Frame, tapped: Tapped) => Frame | 'nothing' | number | undefined

export const tap = (meddle: Meddling = () => undefined) => {
  const sockets: Tapped[] = []
  class TappedSocket extends Ws {
    #slowMs = 0
    readonly #tapped: Tapped = {
      n: sockets.length + 1,
      sent: [],
      received: [],
      cut: () => this.terminate(),
      slow: (ms) => {
        this.#slowMs = ms
      },
    }

    constructor(...args: ConstructorParameters<typeof Ws>) {
      super(...args)
      sockets.push(this.#tapped)
    }

    override emit(event: string, ...args: unknown[]): boolean {
      if (event !== 'message') return super.emit(event, ...args)
      const frame = JSON.parse(String(args[0])) as Frame
      this.#tapped.received.push(frame)
      const instead = meddle(frame, this.#tapped)
      if (instead === 'nothing') return true
      if (typeof instead === 'number') {
        setTimeout(() => super.emit(event, ...args), instead)
        return true
      }
      const data = instead ? Buffer.from(JSON.stringify(instead)) : args[0]
      return super.emit(event, data, ...args.slice(1))
    }

    override send(data: unknown, ...args: unknown[]): void {
      this.#tapped.sent.push(JSON.parse(String(data)) as Frame)
      // Whatever was given goes on as it is.
      const send = () => super.send(data as string, ...(args as []))
      if (this.#slowMs === 0) send()
      else setTimeout(send, this.#slowMs)
    }
  }
  // `ws` has what the SDK asks for; its own types say more than that.
  return { WebSocket: TappedSocket as unknown as WebSocketConstructor, sockets }
}
