/**
 * The fault proxy: one door a client before one or more servers. A door does one fault at a time to the
 * newest connection of its client; the others that may still be there are left as they are.
 */
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Direction, LineFault } from './faults.ts'
import type { Flow } from './flow.ts'
import type { LateAnswers } from './late-sends.ts'
import { Line } from './line.ts'

export interface DoorOptions {
  /** Where the next connection goes. */
  target(): number
  /** The application of this client dials anew. */
  reconnect(): void
  /** How long a fault waits for what it needs, in ms. Default 5,000. */
  readonly patienceMs?: number
  /** How long it waits for the answers to what arrived late, in ms. Default 50. */
  readonly lateAnswerMs?: number
}

export type Outcome =
  | { readonly kind: 'done' }
  /** There was no connection to do it to, within some seconds. */
  | { readonly kind: 'missed' }
  /** What the server answered to sends that reached it when a later connection had replaced theirs. */
  | ({ readonly kind: 'late' } & LateAnswers)

const HOST = '127.0.0.1'
/** A client finds a dead connection out by its heartbeat, and that may take so long. */
const GIVEN_UP_MS = 60_000

const DONE: Outcome = { kind: 'done' }
const MISSED: Outcome = { kind: 'missed' }

export class Door {
  readonly #options: DoorOptions
  readonly #listener: Server
  readonly #patienceMs: number
  readonly #lateAnswerMs: number
  readonly #lines = new Set<Line>()
  readonly #watchers = new Set<() => void>()
  #newest: Line | undefined
  #welcomed: Line | undefined
  /** What the next dial meets. */
  #ambush: ((line: Line) => void) | undefined

  constructor(listener: Server, options: DoorOptions) {
    this.#listener = listener
    this.#options = options
    this.#patienceMs = options.patienceMs ?? 5_000
    this.#lateAnswerMs = options.lateAnswerMs ?? 50
    listener.on('connection', (client) => this.#connected(client))
  }

  /** `ws://127.0.0.1:PORT` */
  get wsUrl(): string {
    return `ws://${HOST}:${(this.#listener.address() as AddressInfo).port}`
  }

  /** Does it, and resolves when it is over. */
  async apply(fault: LineFault): Promise<Outcome> {
    if (!(await this.#until(() => this.#open !== undefined, this.#patienceMs))) return MISSED
    const line = this.#open
    if (line === undefined) return MISSED
    switch (fault.kind) {
      case 'cut':
        return fault.dial === 'this'
          ? this.#cutAfter(line, fault)
          : this.#onNextDial(line, (next) => this.#cutAfter(next, fault))
      case 'reset':
        line.cut('reset')
        return DONE
      case 'hole':
        return this.#hole(line, fault)
      case 'delay':
        return this.#delay(line, fault)
      case 'slices':
        for (const flow of line.flows(fault.direction)) flow.slice(fault.bytes)
        return DONE
      case 'linger':
        return this.#linger(line, fault)
      case 'close':
        line.closeWith(fault.code)
        await this.#until(() => !line.isOpen, this.#patienceMs)
        return DONE
      case 'mute':
        return this.#mute(line, fault.forMs)
      case 'drop':
        return fault.frame === 'ok'
          ? this.#dropAnswers(line, fault.cutAfterMs)
          : this.#onNextDial(line, (next) => this.#dropJoined(next, fault.cutAfterMs))
    }
  }

  /** The client hears nothing more on what is open now. @returns cuts it, which must follow soon */
  deafen(): () => void {
    const line = this.#open
    line?.deafen()
    return () => {
      if (line?.isOpen) line.cut('reset')
    }
  }

  close(): Promise<void> {
    for (const line of this.#lines) line.destroy()
    return new Promise((resolve) => this.#listener.close(() => resolve()))
  }

  /** The newest one that is open. While a token is renewed there are two. */
  get #open(): Line | undefined {
    return [...this.#lines].filter(({ isOpen }) => isOpen).at(-1)
  }

  #connected(client: Socket): void {
    const line: Line = new Line(client, this.#options.target(), {
      dialed: () => {
        this.#newest = line
        const ambush = this.#ambush
        this.#ambush = undefined
        ambush?.(line)
        this.#changed()
      },
      welcomed: () => {
        this.#welcomed = line
        this.#changed()
      },
      gone: () => this.#changed(),
    })
    this.#lines.add(line)
    client.on('close', () => this.#lines.delete(line))
  }

  async #cutAfter(
    line: Line,
    fault: { direction: Direction; afterBytes: number; how: 'fin' | 'reset' },
  ): Promise<Outcome> {
    for (const flow of line.flows(fault.direction))
      flow.cutAfter(fault.afterBytes, () => line.cut(fault.how))
    // A quiet line never comes so far.
    if (!(await this.#until(() => !line.isOpen, this.#patienceMs / 5))) line.cut(fault.how)
    return DONE
  }

  async #hole(line: Line, fault: Extract<LineFault, { kind: 'hole' }>): Promise<Outcome> {
    const flows = line.flows(fault.direction)
    for (const flow of flows) flow.hold()
    await pause(fault.forMs)
    switch (fault.end) {
      case 'release':
        for (const flow of flows) flow.release()
        return DONE
      case 'cut':
        line.cut('reset')
        return DONE
      case 'reconnect':
        this.#options.reconnect()
        await this.#until(() => this.#replaced(line), this.#patienceMs)
        break
      case 'succeeded':
        await this.#until(() => !line.isOpen || this.#replaced(line), this.#patienceMs)
        break
      case 'given-up':
        await this.#until(() => this.#replaced(line), GIVEN_UP_MS)
    }
    return this.#releaseLate(line, flows)
  }

  async #delay(line: Line, fault: Extract<LineFault, { kind: 'delay' }>): Promise<Outcome> {
    const flows = line.flows(fault.direction)
    for (const flow of flows) flow.delay(fault.byMs)
    await pause(fault.forMs)
    for (const flow of flows) flow.delay(0)
    return DONE
  }

  async #linger(line: Line, fault: Extract<LineFault, { kind: 'linger' }>): Promise<Outcome> {
    const flows = line.flows('up')
    for (const flow of flows) flow.hold()
    await pause(fault.holdMs)
    line.linger()
    await this.#until(() => this.#replaced(line), this.#patienceMs)
    await pause(fault.lateMs)
    return this.#releaseLate(line, flows)
  }

  /** What was on its way arrives where the client is no more. */
  async #releaseLate(line: Line, flows: readonly Flow[]): Promise<Outcome> {
    const wasReplaced = this.#replaced(line)
    // What reaches the server on a line that goes on is not late.
    if (wasReplaced) line.late.begin()
    for (const flow of flows) flow.release()
    await pause(this.#lateAnswerMs)
    if (!line.isOpen) for (const flow of flows) flow.end()
    // Where nothing had replaced it nothing came too late.
    return wasReplaced ? { kind: 'late', ...line.late.answers } : DONE
  }

  async #mute(line: Line, forMs: number): Promise<Outcome> {
    line.filter((type) => type !== 'ok')
    await this.#until(() => !line.isOpen || this.#replaced(line), this.#patienceMs)
    await pause(forMs)
    line.cut('reset')
    return DONE
  }

  async #dropAnswers(line: Line, cutAfterMs: number): Promise<Outcome> {
    let lost = false
    line.filter((type) => {
      if (type !== 'ok') return true
      lost = true
      this.#changed()
      return false
    })
    await this.#until(() => lost || !line.isOpen, this.#patienceMs / 5)
    await pause(cutAfterMs)
    line.cut('reset')
    return DONE
  }

  async #dropJoined(line: Line, cutAfterMs: number): Promise<Outcome> {
    let heard = false
    line.filter((type) => {
      if (type !== 'joined') return true
      heard = true
      // Nothing overtakes it.
      line.deafen()
      this.#changed()
      return false
    })
    await this.#until(() => heard || !line.isOpen, this.#patienceMs / 5)
    await pause(cutAfterMs)
    line.cut('reset')
    return DONE
  }

  async #onNextDial(line: Line, then: (next: Line) => Promise<Outcome>): Promise<Outcome> {
    let outcome: Promise<Outcome> | undefined
    this.#ambush = (next) => {
      outcome = then(next)
    }
    line.cut('reset')
    await this.#until(() => outcome !== undefined, this.#patienceMs)
    this.#ambush = undefined
    return outcome ?? MISSED
  }

  /** By one that was welcomed and is still there: the server may have forgotten one that is gone. */
  #replaced(line: Line): boolean {
    const newest = this.#newest
    return newest !== line && this.#welcomed === newest && newest?.isOpen === true
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }

  #until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve(result)
      }
      const look = () => {
        if (isSo()) end(true)
      }
      const timer = setTimeout(() => end(false), withinMs)
      this.#watchers.add(look)
      look()
    })
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Opens a door on a free port. */
export const openDoor = (options: DoorOptions): Promise<Door> =>
  new Promise((resolve, reject) => {
    const listener = createServer({ allowHalfOpen: true, noDelay: true })
    listener.once('error', reject)
    listener.listen(0, HOST, () => resolve(new Door(listener, options)))
  })
