/** One TCP connection through the proxy: two flows, and what a fault does to them. */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { Direction } from './faults.ts'
import { Flow } from './flow.ts'
import { closeFrame, Frames, headOf, type Unit } from './frames.ts'
import { LateSends } from './late-sends.ts'

/** Frames of the server that do not get through: `false` loses one. */
export type FrameFilter = (type: string) => boolean

export interface LineListener {
  /** The client asks for a WebSocket; nothing of it was passed on yet. */
  dialed(line: Line): void
  welcomed(line: Line): void
  /** The client's side is gone. */
  gone(line: Line): void
}

const HOST = '127.0.0.1'
const HEAD_END = '\r\n\r\n'

export class Line {
  readonly late = new LateSends()
  readonly #listener: LineListener
  readonly #client: Socket
  readonly #server: Socket
  readonly #up: Flow
  readonly #down: Flow
  readonly #frames = new Frames()
  #head: Buffer | undefined = Buffer.alloc(0)
  #filter: FrameFilter = () => true
  #state: 'dialing' | 'open' | 'gone' = 'dialing'
  /** What one side does not know: `lingers`, the client lost it; `deaf`, it hears nothing more. */
  #half: 'none' | 'lingers' | 'deaf' = 'none'

  constructor(client: Socket, target: number, listener: LineListener) {
    this.#listener = listener
    this.#client = client
    this.#server = connect({ port: target, host: HOST, allowHalfOpen: true, noDelay: true })
    this.#up = new Flow({
      write: (bytes) => {
        this.late.reached(bytes)
        this.#server.write(bytes)
      },
      finish: () => this.#server.end(),
    })
    this.#down = new Flow({
      write: (bytes) => client.write(bytes),
      finish: () => client.destroySoon(),
    })
    this.#join()
  }

  /** Dialed, and not lost. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  flows(direction: Direction | 'both'): Flow[] {
    if (direction === 'both') return [this.#up, this.#down]
    return [direction === 'up' ? this.#up : this.#down]
  }

  /** What is on its way is lost in both directions. */
  cut(how: 'fin' | 'reset'): void {
    this.#gone()
    this.#up.close()
    this.#down.close()
    for (const socket of [this.#client, this.#server]) {
      if (how === 'reset') reset(socket)
      else socket.destroySoon()
    }
  }

  /** The client loses it; the server's side stays, and keeps what is on its way there. */
  linger(): void {
    this.#half = 'lingers'
    this.#gone()
    this.#down.close()
    reset(this.#client)
  }

  /** Nothing of the server gets through any more; to be cut soon. */
  deafen(): void {
    this.#half = 'deaf'
    this.#down.close()
  }

  /** After what is on its way the server's side closes, and says nothing more. */
  closeWith(code: number): void {
    this.#down.push(closeFrame(code))
    this.#down.end()
  }

  filter(filter: FrameFilter): void {
    this.#filter = filter
  }

  destroy(): void {
    this.#up.close()
    this.#down.close()
    this.#client.destroy()
    this.#server.destroy()
  }

  #gone(): void {
    if (this.#state === 'gone') return
    const wasOpen = this.isOpen
    this.#state = 'gone'
    if (wasOpen) this.#listener.gone(this)
  }

  #join(): void {
    const client = this.#client
    const server = this.#server
    client.on('data', (bytes: Buffer) => this.#sent(bytes))
    server.on('data', (bytes: Buffer) => {
      for (const unit of this.#frames.push(bytes)) this.#received(unit)
    })
    client.on('end', () => this.#clientEnded())
    client.on('error', () => this.#clientEnded())
    client.on('close', () => this.#clientEnded())
    server.on('end', () => this.#serverEnded())
    server.on('error', () => reset(client))
    server.on('close', () => this.#serverEnded())
  }

  #clientEnded(): void {
    this.#gone()
    if (this.#half !== 'lingers') this.#up.end()
  }

  #serverEnded(): void {
    if (this.#half === 'deaf') this.cut('reset')
    this.#down.push(this.#frames.rest())
    this.#down.end()
  }

  #sent(bytes: Buffer): void {
    if (this.#head === undefined) {
      this.#up.push(bytes)
      return
    }
    this.#head = Buffer.concat([this.#head, bytes])
    const text = this.#head.toString('latin1')
    if (!text.includes(HEAD_END)) return
    if (/^upgrade: *websocket\r$/im.test(text) && this.#state === 'dialing') {
      this.#state = 'open'
      this.#listener.dialed(this)
    }
    this.#up.push(this.#head)
    this.#head = undefined
  }

  #received(unit: Unit): void {
    if (unit.kind === 'text') {
      const head = headOf(unit.text)
      this.late.answered(head)
      if (head.type === 'welcome' && this.isOpen) this.#listener.welcomed(this)
      if (!this.#filter(head.type)) return
    }
    this.#down.push(unit.bytes)
  }
}

/** A socket that is not open, or has sent its FIN, can only be closed: libuv spins for ever at exit otherwise. */
function reset(socket: Socket): void {
  if (socket.readyState === 'open' && !socket.writableEnded) socket.resetAndDestroy()
  else socket.destroy()
}
