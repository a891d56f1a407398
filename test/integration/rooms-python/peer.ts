/** A client of the rooms protocol that speaks in raw frames, and holds each to the schema. */
import { randomBytes } from 'node:crypto'
import { WebSocket } from 'ws'
import type { TestServer } from '../../support/servers.ts'
import { checkClientFrame, type Frame, readServerFrame, type StoredMessage } from './frames.ts'

export const PROTOCOL = 'authed-rooms.v1'
/** Long, for machines that are busy: it says only when something will never come. */
const PATIENCE_MS = 20_000

export interface DialOptions {
  /** Whose token is minted; ignored where `token` or `protocols` are given. */
  user?: string
  token?: string
  lifetimeMs?: number
  client?: string
  connection?: number
  join?: readonly string[]
  /** Further members of the query. */
  query?: Record<string, string>
  /** Instead of the protocol and the pair. */
  protocols?: readonly string[]
  headers?: Record<string, string>
}

export interface End {
  code: number
  reason: string
}

/** The types that all peers of this process have sent and received. */
export const seen = { client: new Set<string>(), server: new Set<string>() }

export const newClientId = (): string => randomBytes(16).toString('hex')

/** A client frame without its `id`. */
type Request = { type: string } & Record<string, unknown>

export class Peer {
  readonly client: string
  readonly frames: Frame[] = []
  readonly ended: Promise<End>
  readonly socket: WebSocket
  #lastId = 0
  #n = 0
  /** What was wrong with a frame; thrown by whoever waits next. */
  #failure: Error | undefined
  #listeners = new Set<() => void>()

  constructor(socket: WebSocket, client: string) {
    this.socket = socket
    this.client = client
    socket.on('message', (data) => {
      try {
        const frame = readServerFrame(String(data))
        seen.server.add(frame.type)
        this.frames.push(frame)
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error))
      }
      for (const listener of this.#listeners) listener()
    })
    this.ended = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    socket.on('error', () => {})
  }

  /** The first frame, past or to come, that fits. */
  until(what: string, fits: (frame: Frame) => boolean): Promise<Frame> {
    return new Promise((resolve, reject) => {
      let next = 0
      const done = (settle: () => void) => {
        clearTimeout(timer)
        this.#listeners.delete(look)
        settle()
      }
      const look = () => {
        if (this.#failure !== undefined) return done(() => reject(this.#failure))
        for (; next < this.frames.length; next += 1) {
          const frame = this.frames[next]
          if (frame !== undefined && fits(frame)) return done(() => resolve(frame))
        }
      }
      const timer = setTimeout(() => {
        const last = this.frames.slice(-5).map((frame) => JSON.stringify(frame).slice(0, 300))
        done(() => reject(new Error(`no ${what}; the last frames: ${last.join('\n')}`)))
      }, PATIENCE_MS)
      this.#listeners.add(look)
      look()
    })
  }

  get welcome(): Promise<Frame> {
    return this.until('welcome', ({ type }) => type === 'welcome')
  }

  raw(text: string | Buffer): void {
    this.socket.send(text)
  }

  /** @returns the frame's id */
  say(request: Request): number {
    this.#lastId += 1
    const frame = { id: this.#lastId, ...request }
    checkClientFrame(frame)
    seen.client.add(request.type)
    this.raw(JSON.stringify(frame))
    return this.#lastId
  }

  ask(request: Request): Promise<Frame> {
    const id = this.say(request)
    return this.until(`answer to ${request.type}`, (frame) => frame.id === id)
  }

  join(room: string, options: object = {}): Promise<Frame> {
    return this.ask({ type: 'join', rooms: [{ room, ...options }] })
  }

  /** What is sent next, with a new `n`. */
  draft(room: string, data: unknown, more: object = {}): Request {
    this.#n += 1
    const epoch = this.epochOf(room)
    return { type: 'send', room, epoch, clientId: this.client, n: this.#n, data, ...more }
  }

  send(room: string, data: unknown): Promise<Frame> {
    return this.ask(this.draft(room, data))
  }

  epochOf(room: string): string {
    const joined = this.frames
      .filter((frame) => frame.type === 'joined' && frame.room === room)
      .at(-1)
    if (joined === undefined) throw new Error(`not joined: ${room}`)
    return joined.epoch
  }

  /** Those that came in `joined` frames and those that came alone, in their order. */
  messagesIn(room: string): StoredMessage[] {
    return this.frames.flatMap((frame): StoredMessage[] => {
      if (frame.room !== room) return []
      if (frame.type === 'joined') return frame.messages ?? []
      // A message frame has all that a stored one has.
      return frame.type === 'message' ? [frame as unknown as StoredMessage] : []
    })
  }

  seqsIn(room: string): number[] {
    return this.messagesIn(room).map(({ seq }) => seq)
  }

  heard(room: string, data: unknown): Promise<Frame> {
    const text = JSON.stringify(data)
    return this.until(`message ${text}`, (frame) => {
      const messages = frame.type === 'joined' ? (frame.messages ?? []) : [frame]
      const carries = frame.type === 'joined' || frame.type === 'message'
      return (
        carries &&
        frame.room === room &&
        messages.some((message) => JSON.stringify(message.data) === text)
      )
    })
  }

  presence(room: string, fits: (frame: Frame) => boolean): Promise<Frame> {
    return this.until(
      'presence',
      (frame) => frame.type === 'presence' && frame.room === room && fits(frame),
    )
  }

  async close(): Promise<void> {
    this.socket.close(1000)
    await this.ended
  }

  /** Without a close frame, as a lost connection. */
  async vanish(): Promise<void> {
    this.socket.terminate()
    await this.ended
  }
}

/** What can be dialed; one without a door needs a token. */
export type Dialable = Pick<TestServer, 'wsUrl' | 'control'>

export async function mint(
  server: Dialable,
  user = 'alice',
  options: { kind?: 'valid' | 'expired'; lifetimeMs?: number } = {},
): Promise<string> {
  const request = { user, kind: 'valid', ...options }
  return (await server.control<{ access: string }>('mint', request)).access
}

/** Resolves when the handshake was accepted; the welcome may be still to come. */
export async function dial(server: Dialable, options: DialOptions = {}): Promise<Peer> {
  const client = options.client ?? newClientId()
  const query = new URLSearchParams(options.query)
  query.set('client', client)
  query.set('connection', String(options.connection ?? 1))
  for (const room of options.join ?? []) query.append('join', room)
  const protocols = options.protocols ?? [PROTOCOL, 'token', await tokenFor(server, options)]
  const socket = new WebSocket(`${server.wsUrl}/ws/rooms?${query}`, [...protocols], {
    headers: options.headers ?? {},
    perMessageDeflate: false,
  })
  const peer = new Peer(socket, client)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return peer
}

const tokenFor = async (
  server: Dialable,
  { token, user, lifetimeMs }: DialOptions,
): Promise<string> => token ?? mint(server, user, lifetimeMs === undefined ? {} : { lifetimeMs })

/** Dials, and waits for the welcome. */
export async function enter(server: Dialable, options: DialOptions = {}): Promise<Peer> {
  const peer = await dial(server, options)
  await peer.welcome
  return peer
}
