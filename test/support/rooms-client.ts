import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { WebSocket } from 'ws'
import type {
  ClientFrame,
  JoinedFrame,
  MessageFrame,
  OkFrame,
  RoomToJoin,
  ServerFrame,
  WelcomeFrame,
} from '../servers/node/rooms/frames.ts'

/** Compiled from docs/protocol.schema.json: says of any value whether it is a frame of one side. */
function frameSchema(name: 'clientFrame' | 'serverFrame'): ValidateFunction {
  const file = new URL('../../docs/protocol.schema.json', import.meta.url)
  const schema = JSON.parse(readFileSync(file, 'utf8')) as object
  return new Ajv2020({ allErrors: true })
    .addSchema(schema, 'protocol')
    .compile({ $ref: `protocol#/$defs/${name}` })
}

export const isClientFrame = frameSchema('clientFrame')
export const isServerFrame = frameSchema('serverFrame')

export interface DialOptions {
  /** Absent: the handshake carries none. */
  token?: string
  client?: string
  connection?: number | string
  join?: readonly string[]
  /** Put in front of every other offered word. */
  protocols?: readonly string[]
}

type Frame<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>
type WithoutId<Each> = Each extends unknown ? Omit<Each, 'id'> : never
type Request = WithoutId<ClientFrame>

/** Long, for machines that are busy: it says only when something will never come. */
const PATIENCE_MS = 20_000

export const newClientId = (): string => randomBytes(16).toString('hex')

export function urlOf(wsUrl: string, { client, connection, join = [] }: DialOptions): string {
  const url = new URL('/ws/rooms', wsUrl)
  if (client !== undefined) url.searchParams.set('client', client)
  if (connection !== undefined) url.searchParams.set('connection', String(connection))
  for (const room of join) url.searchParams.append('join', room)
  return url.href
}

/** What a server has told of one room. */
interface Told {
  epoch: string
  seq: number
  version?: number | undefined
}

/**
 * A client of the rooms protocol without any cleverness. It holds every frame to the schema, and the frames
 * of each room to the order of docs/protocol.md; what is wrong stands in `problems`.
 */
export class RoomsClient {
  readonly socket: WebSocket
  readonly clientId: string
  /** Frames that nobody took yet, without messages and without answers that somebody asked for. */
  readonly frames: ServerFrame[] = []
  /** Every message, in the order of arrival. */
  readonly messages: MessageFrame[] = []
  readonly problems: string[] = []
  readonly ended: Promise<{ code: number; reason: string }>
  readonly #rooms = new Map<string, Told>()
  readonly #asked = new Map<number, (answer: ServerFrame) => void>()
  readonly #listeners = new Set<() => void>()
  #lastId = 0
  #n = 0

  constructor(wsUrl: string, options: DialOptions = {}) {
    this.clientId = options.client ?? newClientId()
    const words = options.token === undefined ? [] : ['token', options.token]
    const protocols = options.protocols ?? ['authed-rooms.v1', ...words]
    this.socket = new WebSocket(urlOf(wsUrl, options), [...protocols])
    this.socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    this.socket.on('error', () => {})
    this.ended = once(this.socket, 'close').then(([code, reason]) => {
      this.#wake()
      return { code: code as number, reason: String(reason) }
    })
  }

  /** Where this room was told to be. */
  told(room: string): Told | undefined {
    return this.#rooms.get(room)
  }

  async welcome(): Promise<WelcomeFrame> {
    return this.take('welcome')
  }

  /** Takes the first frame of this type that fits out of `frames`; waits for it. */
  async take<Type extends ServerFrame['type']>(
    type: Type,
    fits: (frame: Frame<Type>) => boolean = () => true,
  ): Promise<Frame<Type>> {
    const isIt = (frame: ServerFrame): frame is Frame<Type> =>
      frame.type === type && fits(frame as Frame<Type>)
    const frame = await this.#until(() => this.frames.find(isIt), type)
    this.frames.splice(this.frames.indexOf(frame), 1)
    return frame
  }

  /** @returns the id of the request, which is not awaited */
  send(request: Request): number {
    this.#lastId += 1
    this.socket.send(JSON.stringify({ ...request, id: this.#lastId }))
    return this.#lastId
  }

  /** The answer to a request that has one. */
  ask(request: Request): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const id = this.send(request)
      const timer = setTimeout(() => {
        this.#asked.delete(id)
        reject(new Error(`no answer to ${request.type} within ${PATIENCE_MS} ms`))
      }, PATIENCE_MS)
      this.#asked.set(id, (answer) => {
        clearTimeout(timer)
        this.#asked.delete(id)
        resolve(answer)
      })
    })
  }

  /** @throws when it is refused */
  async join(room: string, more: Omit<RoomToJoin, 'room'> = {}): Promise<JoinedFrame> {
    const answer = await this.ask({ type: 'join', rooms: [{ room, ...more }] })
    if (answer.type !== 'joined') throw new Error(`not joined: ${JSON.stringify(answer)}`)
    return answer
  }

  /** A send under the room's epoch and with the next `n`. */
  say(room: string, data: unknown, more: { epoch?: string; n?: number } = {}): Request {
    this.#n = more.n ?? this.#n + 1
    const epoch = more.epoch ?? this.#rooms.get(room)?.epoch ?? 'none'
    return { type: 'send', room, epoch, clientId: this.clientId, n: this.#n, data }
  }

  /** @throws when it is refused */
  async sent(room: string, data: unknown, more?: { epoch?: string; n?: number }): Promise<OkFrame> {
    const answer = await this.ask(this.say(room, data, more))
    if (answer.type !== 'ok') throw new Error(`not sent: ${JSON.stringify(answer)}`)
    return answer
  }

  /** Waits until so many messages have come in all. */
  async heard(count: number): Promise<MessageFrame[]> {
    const enough = (): true | undefined => this.messages.length >= count || undefined
    await this.#until(enough, `message ${count} (of ${this.messages.length})`)
    return this.messages
  }

  /** Everything that was sent before is answered or on its way. */
  async settled(): Promise<void> {
    await this.ask({ type: 'ping' })
  }

  /** As the network does. */
  cut(): void {
    this.socket.terminate()
  }

  async close(): Promise<void> {
    this.socket.close(1000)
    await this.ended
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const text = data.toString('utf8')
    const frame = JSON.parse(text) as ServerFrame
    if (isBinary) this.problems.push('a binary frame')
    if (!isServerFrame(frame)) {
      this.problems.push(`${text.slice(0, 500)}: ${JSON.stringify(isServerFrame.errors)}`)
    }
    this.#checkOrder(frame)
    const asked = 'id' in frame ? this.#asked.get(frame.id ?? -1) : undefined
    if (asked) asked(frame)
    else if (frame.type === 'message') this.messages.push(frame)
    else this.frames.push(frame)
    this.#wake()
  }

  #checkOrder(frame: ServerFrame): void {
    if (frame.type === 'joined') {
      const { room, epoch, seq, version } = frame
      const last = frame.messages?.at(-1)?.seq
      if (last !== undefined && last !== seq) this.#problem(frame, `whose last message is ${last}`)
      this.#rooms.set(room, { epoch, seq, version: version ?? this.#rooms.get(room)?.version })
    } else if (frame.type === 'message') {
      const told = this.#rooms.get(frame.room)
      if (told?.seq !== frame.seq - 1) this.#problem(frame, `after ${told?.seq}`)
      if (told) told.seq = frame.seq
    } else if (frame.type === 'presence') {
      const told = this.#rooms.get(frame.room)
      if (told?.version !== frame.version - 1) this.#problem(frame, `after ${told?.version}`)
      if (told) told.version = frame.version
    }
  }

  #problem(frame: ServerFrame, what: string): void {
    this.problems.push(`${JSON.stringify(frame).slice(0, 500)} ${what}`)
  }

  #wake(): void {
    for (const listener of this.#listeners) listener()
  }

  #until<Value>(find: () => Value | undefined, what: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const value = find()
        if (value === undefined) return
        stop()
        resolve(value)
      }
      const give = (): void => {
        stop()
        const rest = JSON.stringify(this.frames.slice(-5)).slice(0, 1_000)
        reject(new Error(`${what} did not come within ${PATIENCE_MS} ms; not taken: ${rest}`))
      }
      const timer = setTimeout(give, PATIENCE_MS)
      const stop = (): void => {
        clearTimeout(timer)
        this.#listeners.delete(look)
      }
      this.#listeners.add(look)
      look()
    })
  }
}
