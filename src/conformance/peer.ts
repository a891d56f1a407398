/** One connection of a check: sends frames, right and wrong ones, and hands out what came. */

import { isObject } from '../core/check.ts'
import {
  type ClientFrame,
  type ClientType,
  type Joining,
  type Reading,
  readServerFrame,
  type ServerFrame,
  type ServerType,
} from './frames.ts'
import { Inbox, type Wanted } from './inbox.ts'
import { fail, show } from './judging.ts'
import type { Watch } from './watch.ts'
import type { Wire, WireListener } from './wire.ts'

export interface Ending {
  readonly code: number
  readonly reason: string
}

/** Where a peer belongs: how patient it is, and who keeps a record. */
export interface PeerHost {
  readonly timeoutMs: number
  readonly quietMs: number
  readonly watch: Watch
  /** Of each frame, in the order of the wire. */
  record(direction: '>' | '<', text: string, type: string | undefined): void
}

type WithoutId<Frame> = Frame extends ClientFrame ? Omit<Frame, 'id'> : never
/** A frame whose `id` the peer will choose. */
export type Body<Type extends ClientType = ClientType> = WithoutId<ClientFrame<Type>>
export type Answer = Extract<ServerFrame, { readonly id?: number }>

/** A server that limits rates is asked again so often. */
const TRIES = 8

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

export class Peer implements WireListener {
  readonly ended: Promise<Ending>
  readonly #host: PeerHost
  readonly #inbox: Inbox
  readonly #wrong = new Set<unknown>()
  #wire: Wire | undefined
  #ending: Ending | undefined
  #end: (ending: Ending) => void = () => {}
  #nextId = 1

  constructor(host: PeerHost) {
    this.#host = host
    this.#inbox = new Inbox(host.timeoutMs)
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  attach(wire: Wire): void {
    this.#wire = wire
  }

  get echoed(): string {
    return this.#wire?.echoed ?? ''
  }

  get ending(): Ending | undefined {
    return this.#ending
  }

  frame(data: string | ArrayBuffer): void {
    const reading = readServerFrame(data)
    const text = typeof data === 'string' ? data : '(binary)'
    this.#host.record('<', text, reading.kind === 'frame' ? reading.frame.type : undefined)
    this.#host.watch.received(reading, text)
    if (reading.kind === 'frame') this.#inbox.deliver(reading.frame)
    else this.#spoil(reading)
  }

  closed(code: number, reason: string): void {
    this.#ending = { code, reason }
    this.#host.record('<', `(closed with ${code}${reason && ` ${show(reason)}`})`, undefined)
    this.#end(this.#ending)
    this.#inbox.close(code)
  }

  /** Sends a right frame and returns its id. */
  say(body: Body, id = this.#nextId++): number {
    // A body with an id is a frame; the union is too wide for the compiler to see it.
    const frame = { ...body, id } as ClientFrame
    this.#host.watch.sent(frame)
    this.#send(JSON.stringify(frame), frame.type)
    return id
  }

  /** Sends a right frame that JSON.stringify would not write so. */
  sayAs(frame: ClientFrame, text: string): number {
    this.#host.watch.sent(frame)
    this.#send(text, frame.type)
    return frame.id
  }

  /** Sends what is no right frame; `id` where a server can read one, which its error may then name. */
  raw(data: string | Uint8Array, id = idIn(data)): void {
    this.#host.watch.sentWrong(id)
    this.#send(data)
  }

  /** The first frame, where no token came in the handshake; a welcome answers it. */
  begin(frame: string | ArrayBuffer): void {
    this.#send(frame, 'auth')
  }

  authenticate(token: string): void {
    this.begin(JSON.stringify({ type: 'auth', id: 0, token }))
  }

  /** A text frame of bytes that need not be UTF-8. @returns whether the runtime can */
  rawText(bytes: Uint8Array): boolean {
    this.#host.record('>', '(a text frame of other bytes)', undefined)
    return this.#wire?.sendAsText(bytes) ?? false
  }

  newId(): number {
    return this.#nextId++
  }

  /** Sends a request and takes its answer; again, when the server asks for patience. */
  async ask(body: Body): Promise<Answer> {
    for (let left = TRIES; ; left -= 1) {
      const answer = await this.answer(this.say(body), body.type)
      if (left === 0 || !(await this.#waited(answer))) return answer
    }
  }

  answer(id: number, what = 'request'): Promise<Answer> {
    // Only answers have ids.
    return this.take({ id }, `answer to a ${what}`) as Promise<Answer>
  }

  /** The answer to a frame that a server may have been unable to read, id and all. */
  answerIfRead(id: number, what: string): Promise<Answer> {
    // Only answers have ids, and of frames without one only errors are taken.
    return this.take({ id, orNameless: true }, `answer to a ${what}`) as Promise<Answer>
  }

  /** Joins, and takes the answers of all rooms; one under `''` is about the whole frame. */
  async join(rooms: readonly Joining[]): Promise<ReadonlyMap<string, Answer>> {
    for (let left = TRIES; ; left -= 1) {
      const id = this.say({ type: 'join', rooms })
      const answers = new Map<string, Answer>()
      while (answers.size < rooms.length && !answers.has('')) {
        const answer = await this.answer(id, 'join')
        answers.set(('room' in answer ? answer.room : undefined) ?? '', answer)
      }
      const first = [...answers.values()][0]
      if (left === 0 || first === undefined || !(await this.#waited(first))) return answers
    }
  }

  /**
   * Takes the first frame that fits out of those that came, or waits for it.
   *
   * @throws {CheckFailure} when it does not come, or is not as it has to be
   */
  take<Type extends ServerType>(
    wanted: Wanted<Type>,
    what = `${wanted.type}`,
  ): Promise<ServerFrame<Type>> {
    const frame: Promise<unknown> = this.#inbox.take(wanted, what)
    // `wanted.type` says which it is.
    return frame as Promise<ServerFrame<Type>>
  }

  /** Whether a frame of that type came which is not as it has to be. */
  sentWrong(type: ServerType): boolean {
    return this.#wrong.has(type)
  }

  /** Takes what comes within the quiet time; `undefined` when nothing does. */
  soon(wanted: Wanted): Promise<ServerFrame | undefined> {
    return this.#inbox.take(wanted, 'frame', this.#host.quietMs).catch(() => undefined)
  }

  /** Takes what has come already. */
  here(wanted: Wanted): ServerFrame | undefined {
    return this.#inbox.here(wanted)
  }

  /** Listens for a while. @returns a frame that fits, or `undefined` for silence */
  async listen(wanted: Wanted): Promise<ServerFrame | undefined> {
    await sleep(this.#host.quietMs)
    return this.#inbox.has(wanted)
  }

  /** @throws {CheckFailure} when the server does not close in time */
  async closing(timeoutMs = this.#host.timeoutMs): Promise<Ending> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs)
    })
    const ending = await Promise.race([this.ended, late])
    clearTimeout(timer)
    return ending ?? fail(`the connection was still open after ${timeoutMs} ms`)
  }

  close(): void {
    if (this.#ending === undefined) this.#wire?.close()
  }

  /** Ends without a close frame, as a lost network does. */
  drop(): void {
    this.#wire?.drop()
  }

  #send(data: string | ArrayBuffer | Uint8Array, type?: string): void {
    this.#host.record('>', typeof data === 'string' ? data : '(binary)', type)
    // One that is closed says so to whoever waits for the answer.
    if (this.#ending === undefined) this.#wire?.send(data)
  }

  #spoil(reading: Reading): void {
    if (reading.kind === 'wrong' && isObject(reading.frame)) this.#wrong.add(reading.frame['type'])
    this.#inbox.spoil(reading)
  }

  async #waited(answer: Answer): Promise<boolean> {
    if (answer.type !== 'error' || answer.code !== 'rate-limited') return false
    await sleep(Math.min(answer.retryAfterMs ?? this.#host.quietMs, this.#host.timeoutMs))
    return true
  }
}

function idIn(data: string | Uint8Array): number | undefined {
  try {
    const { id } = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data))
    return typeof id === 'number' ? id : undefined
  } catch {
    return undefined
  }
}
