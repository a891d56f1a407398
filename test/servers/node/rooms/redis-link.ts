import { createClient } from 'redis'
import { StoreUnavailableError } from './store.ts'

const CHANNEL = 'rooms:wake'
const CONNECT_TIMEOUT_MS = 2_000
/** A connection on which nothing is answered for so long is given up, with all that was asked on it. */
const SILENCE_MS = 3_000
/** Counted in steps: a process that stood still itself must first read the answers that came meanwhile. */
const SILENCE_STEPS = 6

/** Whoever comes back at the same time must not come at the same millisecond. */
const reconnectInMs = (): number => 50 + Math.random() * 100

/** A command that failed because nobody answers says so in one of many classes; a reply of Redis has one. */
function isReply(error: unknown): boolean {
  return error instanceof Error && /^(ERR|WRONGTYPE|NOSCRIPT|BUSY) /.test(error.message)
}

const soon = (ms: number): Promise<false> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, false).unref()
  })

/** The two connections of one process: one for commands, which keeps their order, and one that is woken. */
export class RedisLink {
  readonly channel = CHANNEL
  readonly #commands
  readonly #wakes
  #listener: (message: string) => void = () => {}
  #unanswered = 0
  #silentSteps = 0
  #isReplacing = false
  #isClosed = false
  readonly #watch = setInterval(() => this.#step(), SILENCE_MS / SILENCE_STEPS)

  constructor(url: string) {
    const socket = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: reconnectInMs }
    this.#commands = createClient({
      url,
      // A queue would hide an outage from clients that wait for an answer.
      disableOfflineQueue: true,
      socket,
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
    await Promise.race([connecting, soon(CONNECT_TIMEOUT_MS)])
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
    if (this.#unanswered === 0) this.#silentSteps = 0
    this.#unanswered += 1
    try {
      return await this.#commands.eval(script, { keys: [...keys], arguments: [...args] })
    } catch (cause) {
      if (isReply(cause)) throw cause
      throw new StoreUnavailableError('Redis does not answer', { cause })
    } finally {
      this.#unanswered -= 1
      this.#silentSteps = 0
    }
  }

  #step(): void {
    if (this.#unanswered === 0) return
    this.#silentSteps += 1
    if (this.#silentSteps > SILENCE_STEPS) void this.#replace()
  }

  /** A peer that is silent but not gone is noticed by nobody else, for hours. */
  async #replace(): Promise<void> {
    if (this.#isReplacing) return
    this.#isReplacing = true
    while (!this.#isClosed) {
      if (this.#commands.isOpen) this.#commands.destroy()
      const connected = this.#commands.connect().then(
        () => true,
        () => false,
      )
      if (await Promise.race([connected, soon(SILENCE_MS)])) break
      await soon(reconnectInMs())
    }
    if (this.#isClosed && this.#commands.isOpen) this.#commands.destroy()
    this.#isReplacing = false
  }

  /** Wakes everybody, ourselves included; without a message: for whatever there may be. */
  async publish(message = ''): Promise<void> {
    await this.#commands.publish(CHANNEL, message)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watch)
    this.#listener = () => {}
    for (const client of [this.#commands, this.#wakes]) if (client.isOpen) client.destroy()
  }
}
