/** Sockets of a server that speaks no protocol of ours: dialed as its users do, and read as they come. */
import { firstFrameOf } from '../transmissions/first-frame.ts'
import { type DialOptions, handshakeOf, tokenFor } from './handshake.ts'
import type { Resolved } from './options.ts'
import { sleep } from './peer.ts'
import type { Secrets } from './secrets.ts'
import { type Opening, openWire } from './wire.ts'

/** daphne takes a second for the close of a consumer that raised. */
const PATIENCE_MS = 1_500
const STEP_MS = 20

/** An open socket without any protocol. */
export interface Plain {
  readonly frames: (string | ArrayBuffer)[]
  code: number | undefined
  send(data: string | ArrayBuffer | Uint8Array): void
  close(): void
  drop(): void
}
export type Dialed =
  | { readonly kind: 'open'; readonly plain: Plain }
  | Exclude<Opening, { kind: 'open' }>

/** Dials as its users do: with the token, and without a protocol of ours. */
export class Guest {
  readonly way: string
  readonly #options: Resolved
  readonly #secrets: Secrets
  readonly #open: Plain[] = []

  constructor(options: Resolved, secrets: Secrets) {
    this.#options = options
    this.#secrets = secrets
    this.way = options.transmission.name
  }

  get patienceMs(): number {
    return Math.min(PATIENCE_MS, this.#options.timeoutMs)
  }

  get other(): DialOptions {
    return { user: this.#options.tokens.b ? 'b' : 'a' }
  }

  async dial(dial: DialOptions = {}): Promise<Dialed> {
    const { WebSocket, webSocketOptions, timeoutMs } = this.#options
    const token = await tokenFor(this.#options, this.#secrets, dial)
    const handshake = handshakeOf(this.#options, { protocols: [], ...dial }, token)
    const plain: Plain = {
      frames: [],
      code: undefined,
      send: () => {},
      close: () => {},
      drop: () => {},
    }
    const opening = await openWire(
      { handshake, WebSocket, options: webSocketOptions, timeoutMs },
      {
        frame: (data) => plain.frames.push(data),
        closed: (code) => {
          plain.code = code
        },
      },
    )
    if (opening.kind !== 'open') return opening
    const { wire } = opening
    plain.send = (data) => {
      if (plain.code === undefined) wire.send(data)
    }
    plain.close = () => wire.close()
    plain.drop = () => wire.drop()
    this.#open.push(plain)
    const first = await firstFrameOf(handshake)
    if (first !== undefined) plain.send(first)
    return { kind: 'open', plain }
  }

  /** Waits until it is so, and not for ever. @returns whether it is */
  async until(isSo: () => boolean): Promise<boolean> {
    for (let waited = 0; waited < this.patienceMs && !isSo(); waited += STEP_MS)
      await sleep(STEP_MS)
    return isSo()
  }

  async close(): Promise<void> {
    for (const plain of this.#open) plain.close()
    const areClosed = await this.until(() => this.#open.every(({ code }) => code !== undefined))
    if (!areClosed) for (const plain of this.#open) plain.drop()
  }
}
