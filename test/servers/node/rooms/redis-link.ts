import { createClient } from 'redis'
import { StoreUnavailableError } from './store.ts'

const CHANNEL = 'rooms:wake'
const CONNECT_TIMEOUT_MS = 2_000
/** A Redis that is silent for so long, pings included, is taken for gone: what was asked fails then. */
const SILENCE_MS = 5_000
const PING_MS = 2_000

/** Whoever comes back at the same time must not come at the same millisecond. */
const reconnectInMs = (): number => 50 + Math.random() * 100

/** A command that failed because nobody answers says so in one of many classes; a reply of Redis has one. */
function isReply(error: unknown): boolean {
  return error instanceof Error && /^(ERR|WRONGTYPE|NOSCRIPT|BUSY) /.test(error.message)
}

/** The two connections of one process: one for commands, which keeps their order, and one that is woken. */
export class RedisLink {
  readonly channel = CHANNEL
  readonly #commands
  readonly #wakes
  #listener: (message: string) => void = () => {}

  constructor(url: string) {
    const socket = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: reconnectInMs }
    this.#commands = createClient({
      url,
      // A queue would hide an outage from clients that wait for an answer.
      disableOfflineQueue: true,
      pingInterval: PING_MS,
      socket: { ...socket, socketTimeout: SILENCE_MS },
    })
    this.#wakes = createClient({ url, socket })
    for (const client of [this.#commands, this.#wakes]) {
      // It connects again by itself; what was asked meanwhile has failed.
      client.on('error', () => {})
      // Something may have been said meanwhile, and everything may be gone.
      client.on('ready', () => this.#listener(''))
    }
  }

  /** Resolves when both connections stand, and after a while also when they do not: they go on trying. */
  async open(): Promise<void> {
    const connecting = Promise.all([
      this.#commands.connect(),
      this.#wakes
        .connect()
        .then(() => this.#wakes.subscribe(CHANNEL, (message) => this.#listener(message))),
    ])
    connecting.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise((resolve) => {
      timer = setTimeout(resolve, CONNECT_TIMEOUT_MS)
    })
    await Promise.race([connecting, enough])
    clearTimeout(timer)
  }

  /** Without a message: we may have missed some. */
  onMessage(listener: (message: string) => void): void {
    this.#listener = listener
  }

  /**
   * Scripts go as text each time. By their hash they would have to be sent again after a restart of Redis,
   * and the second attempt would fall behind what was asked in between.
   */
  async run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    try {
      return await this.#commands.eval(script, { keys: [...keys], arguments: [...args] })
    } catch (cause) {
      if (isReply(cause)) throw cause
      throw new StoreUnavailableError('Redis does not answer', { cause })
    }
  }

  async removeAll(pattern: string): Promise<void> {
    for await (const keys of this.#commands.scanIterator({ MATCH: pattern, COUNT: 1_000 })) {
      if (keys.length > 0) await this.#commands.unlink(keys)
    }
    await this.#commands.publish(CHANNEL, '')
  }

  async close(): Promise<void> {
    this.#listener = () => {}
    for (const client of [this.#commands, this.#wakes]) client.destroy()
  }
}
