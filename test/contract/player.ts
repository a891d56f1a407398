/**
 * Plays one cell: the only code of this suite that uses the SDK, and it uses what `src/index.ts` exports.
 * Runs in Node and in a browser page alike: a part comes in as JSON, an outcome goes out as JSON.
 */
import {
  AuthedSocket,
  type AuthFunction,
  cookieSession,
  isAuthedSocketError,
  multiplexed,
  passwordGrant,
  plain,
  type Room,
  roomPerSocket,
  type Session,
  type Status,
  simpleJwt,
  type Transmission,
  viaCookie,
  viaFirstMessage,
  viaHeader,
  viaQuery,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { findLeaks, type Sighting, stringsIn } from './canary.ts'
import type {
  CarrierName,
  Condition,
  Cue,
  ErrorOutcome,
  Outcome,
  Part,
  ProtocolName,
  RoomOutcome,
  State,
  Step,
} from './cell.ts'

/** What a runtime gives to the cells that are played in it. */
export interface Stage {
  /** Absent: the global one. */
  readonly WebSocket?: WebSocketConstructor
  /** `util.inspect` with everything shown, where there is one. */
  readonly inspect?: (value: unknown) => string
  cue(cue: Cue, asks: number): Promise<void>
}

const STEP_TIMEOUT_MS = 20_000

const CARRIERS: Readonly<
  Record<Exclude<CarrierName, 'session'>, (protocol: ProtocolName) => Transmission>
> = {
  query: () => viaQuery({ acceptLogging: true }),
  pair: () => viaSubprotocol(),
  bearer: () => viaSubprotocol({ preset: 'bearer', app: 'chat' }),
  header: () => viaHeader(),
  cookie: () => viaCookie(),
  'first-message': (protocol) =>
    viaFirstMessage(
      protocol === 'multiplexed'
        ? 'rooms'
        : { frame: (token) => ({ type: 'auth', id: 0, token }), accepted: isWelcome },
    ),
  unread: () => viaQuery({ param: 'unread' }),
}

const isWelcome = (frame: unknown): boolean => textOf(frame) === 'welcome'

export async function play(part: Part, stage: Stage): Promise<Outcome> {
  const player = new Player(part, stage)
  try {
    await player.start()
    for (const step of part.script) {
      if (!(await player.take(step))) break
    }
    await player.askRefusedRooms()
    return player.outcome()
  } finally {
    await player.end()
  }
}

interface Heard {
  joins: number
  gaps: number
  messages: string[]
  error?: string
}

class Player {
  readonly #part: Part
  readonly #stage: Stage
  readonly #tokens = new Set<string>()
  readonly #asks: string[] = []
  readonly #states: State[] = ['idle']
  readonly #statesSince: Record<string, number> = {}
  readonly #problems: string[] = []
  readonly #heard = new Map<string, Heard>()
  readonly #rooms = new Map<string, Room>()
  readonly #errors: unknown[] = []
  /** Everything that was handed to the user: looked through for tokens at the end. */
  readonly #shown: { readonly where: string; readonly value: unknown }[] = []
  readonly #console = listenToConsole()
  readonly #changed = new Set<() => void>()
  #session: Session<never> | Session<unknown> | undefined
  #socket: AuthedSocket | undefined
  #attempt = 0
  #given = 0
  #stuck: string | undefined

  constructor(part: Part, stage: Stage) {
    this.#part = part
    this.#stage = stage
  }

  async start(): Promise<void> {
    const { carrier, options, protocol, url } = this.#part
    const auth = await this.#auth()
    const { probe, renewal } = options
    const socket = new AuthedSocket({
      url,
      auth,
      protocol: PROTOCOLS[protocol](),
      ...(carrier !== 'session' && { transmission: CARRIERS[carrier](protocol) }),
      ...(this.#stage.WebSocket && { WebSocket: this.#stage.WebSocket }),
      ...(options.scale !== undefined && { retry: { scale: options.scale } }),
      ...(options.settleMs !== undefined && { settleMs: options.settleMs }),
      ...(renewal && { renewal }),
      ...(probe && { probe: async () => probe }),
      logger: {
        debug: (line) => this.#show('logger.debug', line),
        warn: (line) => this.#show('logger.warn', line),
      },
    })
    this.#socket = socket
    socket.on('statechange', (change) => {
      this.#show('statechange', change)
      this.#moved(change.status)
    })
    socket.on('error', (error) => this.#fault('error event', error))
    for (const name of ['connected', 'disconnected', 'signinrequired', 'gap'] as const)
      socket.on(name, (payload) => this.#show(name, payload))
  }

  /** @returns whether the script may go on */
  async take(step: Step): Promise<boolean> {
    switch (step.do) {
      case 'join':
        for (const room of step.rooms) this.#join(room, step.listen)
        return true
      case 'send':
        return this.#send(step.room, step.text)
      case 'pause':
        await pause(step.ms)
        return true
      case 'until':
        return this.#until(step.what)
      case 'cue':
        if (step.cue.kind === 'count') this.#statesSince[step.cue.as] = this.#states.length
        await this.#stage.cue(step.cue, this.#asks.length)
        return true
    }
  }

  /** A room may be refused long after its join was answered; from then on it says why to whoever sends. */
  async askRefusedRooms(): Promise<void> {
    for (const [alias, room] of this.#rooms) {
      if (room.state !== 'refused') continue
      const error: unknown = await room.send({ message: 'refused' }).catch((error) => error)
      const heard = this.#heard.get(alias)
      if (heard) heard.error = nameOf(error)
      this.#show(`send in ${alias}`, error)
    }
  }

  outcome(): Outcome {
    const status = this.#status()
    const error = 'error' in status ? errorOutcome(status.error) : undefined
    const since = Object.entries(this.#statesSince)
    return {
      state: status.state,
      states: [...this.#states],
      ...(error && { error }),
      ...('action' in status && { action: status.action }),
      asks: [...this.#asks],
      rooms: this.#roomOutcomes(),
      problems: [...this.#problems],
      errors: [...new Set(this.#errors.map(nameOf))],
      statesSince: Object.fromEntries(
        since.map(([as, length]) => [as, this.#states.length - length]),
      ),
      ...(this.#stuck !== undefined && { stuck: this.#stuck }),
      leaks: this.#leaks(),
    }
  }

  async end(): Promise<void> {
    this.#console.stop()
    await this.#socket?.disconnect()
  }

  #status(): Status {
    if (!this.#socket) throw new Error('not started')
    return this.#socket.status
  }

  #show(where: string, value: unknown): void {
    this.#shown.push({ where, value })
  }

  #fault(where: string, error: unknown): void {
    this.#errors.push(error)
    this.#show(where, error)
  }

  #moved(status: Status): void {
    if (this.#states.at(-1) !== status.state) this.#states.push(status.state)
    if ('error' in status) this.#problems.push(problemOf(status.error))
    if (status.state === 'waiting') this.#attempt = Math.max(this.#attempt, status.attempt)
    this.#look()
  }

  #look(): void {
    for (const changed of [...this.#changed]) changed()
  }

  async #auth(): Promise<AuthFunction | Session<never> | Session<unknown>> {
    const { auth } = this.#part
    if (auth.kind === 'function') return this.#function(auth.tokens)
    const credentials = { username: auth.username ?? '', password: auth.password }
    const fetch: typeof globalThis.fetch = (...args) => this.#fetch(...args)
    if (auth.kind === 'login') {
      const at = (path: string) => `${auth.origin}${path}`
      const session =
        auth.dialect === 'simple-jwt'
          ? simpleJwt({ obtain: at('/api/token/'), refresh: at('/api/token/refresh/'), fetch })
          : passwordGrant({ url: at('/token'), refreshUrl: at('/token/refresh'), fetch })
      this.#session = session
      await session.login(credentials)
      return session
    }
    const { cookie } = auth
    if (cookie !== undefined) this.#tokens.add(cookie.slice(cookie.indexOf('=') + 1))
    const session = cookieSession({
      login: `${auth.origin}/login/`,
      fetch,
      ...(cookie !== undefined && { cookie }),
    })
    this.#session = session
    if (auth.username !== undefined) await session.login(credentials)
    return session
  }

  /** As auth libraries do: from the cache, unless another value is demanded. */
  #function(tokens: readonly (string | null)[]): AuthFunction {
    for (const token of tokens) if (token !== null) this.#tokens.add(token)
    return async ({ fresh, reason }) => {
      this.#asks.push(fresh ? `${reason}!` : reason)
      if (fresh) this.#given = Math.min(this.#given + 1, tokens.length - 1)
      const token = tokens[this.#given] ?? null
      // Said to live, whatever it says of itself: caches and clocks are wrong in the field.
      return token === null ? null : { token, expiresInMs: 300_000 }
    }
  }

  /** Tokens that only the SDK and the server know are read off the wire, to be looked for. */
  async #fetch(...args: Parameters<typeof globalThis.fetch>): Promise<Response> {
    const response = await globalThis.fetch(...args)
    for (const line of response.headers.getSetCookie?.() ?? [])
      if (line.startsWith('sessionid=')) this.#tokens.add(line.slice(10, line.indexOf(';')))
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined)
    for (const [name, value] of Object.entries(body ?? {}))
      if (/^(access|refresh)/.test(name) && typeof value === 'string') this.#tokens.add(value)
    return response
  }

  #join(alias: string, listen: 'before' | 'after'): void {
    const heard: Heard = { joins: 0, gaps: 0, messages: [] }
    this.#heard.set(alias, heard)
    const target = this.#part.protocol === 'plain' ? this.#plain(heard) : this.#room(alias, heard)
    if (listen === 'before') target.listen()
    // Attached in the first microtask after `await join()`, as a user would write it.
    target.join().then(
      () => {
        if (listen === 'after') target.listen()
        this.#look()
      },
      (error: unknown) => {
        heard.error = nameOf(error)
        this.#fault(`join of ${alias}`, error)
        this.#look()
      },
    )
  }

  #room(alias: string, heard: Heard) {
    if (!this.#socket) throw new Error('not started')
    const room = this.#socket.room(this.#part.rooms[alias] ?? alias)
    this.#rooms.set(alias, room)
    room.on('joined', (payload) => {
      heard.joins += 1
      this.#show('joined', payload)
      this.#look()
    })
    room.on('gap', () => {
      heard.gaps += 1
    })
    for (const name of ['left', 'error'] as const)
      room.on(name, (payload) => {
        this.#show(`room ${name}`, payload)
        this.#look()
      })
    return {
      join: () => room.join(),
      listen: () => room.on('message', (message) => this.#hear(heard, message)),
    }
  }

  #plain(heard: Heard) {
    const socket = this.#socket
    if (!socket) throw new Error('not started')
    socket.on('connected', () => {
      heard.joins += 1
      this.#look()
    })
    return {
      join: () => socket.connect(),
      listen: () => socket.on('message', (message) => this.#hear(heard, message)),
    }
  }

  #hear(heard: Heard, message: { data: unknown }): void {
    this.#show('message', message)
    const text = textOf(message.data)
    // Without rooms all cells hear each other.
    const [writer = '', own] = text.split('|')
    if (own !== undefined && writer !== this.#part.id) return
    heard.messages.push(own ?? text)
    this.#look()
  }

  async #send(alias: string, text: string): Promise<boolean> {
    const target = this.#rooms.get(alias) ?? this.#socket
    try {
      await target?.send({
        message: this.#part.protocol === 'plain' ? `${this.#part.id}|${text}` : text,
      })
      return true
    } catch (error) {
      this.#fault(`send in ${alias}`, error)
      this.#stuck = `send in ${alias}: ${nameOf(error)}`
      return false
    }
  }

  async #until(what: Condition): Promise<boolean> {
    const reached = await new Promise<boolean>((resolve) => {
      const finish = (reached: boolean) => {
        clearTimeout(timer)
        this.#changed.delete(look)
        resolve(reached)
      }
      const look = () => {
        if (this.#holds(what)) finish(true)
      }
      const timer = setTimeout(() => finish(false), STEP_TIMEOUT_MS)
      this.#changed.add(look)
      look()
    })
    if (!reached) this.#stuck = `until ${JSON.stringify(what)}`
    return reached
  }

  #holds(what: Condition): boolean {
    switch (what.kind) {
      case 'state':
        return this.#status().state === what.is
      case 'joined':
        return what.rooms.every((room) => (this.#heard.get(room)?.joins ?? 0) >= what.times)
      case 'room':
        return this.#roomState(what.room) === what.is
      case 'messages':
        return (this.#heard.get(what.room)?.messages.length ?? 0) >= what.atLeast
      case 'attempt':
        return this.#attempt >= what.atLeast && this.#status().state === 'waiting'
    }
  }

  #roomState(alias: string): string {
    const room = this.#rooms.get(alias)
    if (room) return room.state
    return this.#status().state === 'connected' ? 'joined' : 'joining'
  }

  #roomOutcomes(): Record<string, RoomOutcome> {
    const outcomes: Record<string, RoomOutcome> = {}
    for (const [alias, heard] of this.#heard)
      outcomes[alias] = { ...heard, state: this.#roomState(alias) }
    return outcomes
  }

  #leaks(): string[] {
    const things = [
      ...this.#shown,
      { where: 'status', value: this.#status() },
      { where: 'socket', value: this.#socket },
      { where: 'session', value: this.#session },
      ...[...this.#rooms.values()].map((value) => ({ where: 'room', value })),
    ]
    const sightings = things.flatMap(({ where, value }) => [
      ...stringsIn(value, where),
      ...this.#printed(value, where),
    ])
    for (const line of this.#console.lines) sightings.push({ where: 'console', text: line })
    return [...new Set(findLeaks([...this.#tokens], sightings))]
  }

  #printed(value: unknown, where: string): Sighting[] {
    const { inspect } = this.#stage
    return [
      { where: `String(${where})`, text: String(value) },
      { where: `JSON of ${where}`, text: jsonOf(value) },
      ...(inspect ? [{ where: `inspect of ${where}`, text: inspect(value) }] : []),
    ]
  }
}

const PROTOCOLS = {
  'room-per-socket': () => roomPerSocket(),
  multiplexed: () => multiplexed(),
  plain: () => plain(),
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error)

function errorOutcome(error: unknown): ErrorOutcome {
  if (!isAuthedSocketError(error)) return { name: nameOf(error), code: '', message: String(error) }
  const shows =
    'status' in error ? error.status : 'closeCode' in error ? error.closeCode : undefined
  return {
    name: error.name,
    code: error.code,
    message: error.message,
    ...(shows !== undefined && { shows }),
  }
}

function problemOf(error: unknown): string {
  const { name, shows } = errorOutcome(error)
  return shows === undefined ? name : `${name} ${shows}`
}

/** What the servers send, without what differs between them: the echo of FastAPI's article is plain text. */
function textOf(data: unknown): string {
  if (typeof data === 'object' && data !== null && 'message' in data) {
    const { message } = data
    if (typeof message === 'string') return message.startsWith('Welcome, ') ? 'welcome' : message
  }
  const echo = typeof data === 'string' ? /^Message from \w+: (.*)$/.exec(data)?.[1] : undefined
  return echo === undefined ? JSON.stringify(data) : textOf(JSON.parse(echo))
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    // Cyclic: what it holds is looked at property by property.
    return ''
  }
}

const LEVELS = ['debug', 'dir', 'error', 'info', 'log', 'trace', 'warn'] as const
const listeners = new Set<string[]>()
let isHooked = false

/** What anybody writes to the console from now on. */
function listenToConsole(): { readonly lines: readonly string[]; stop(): void } {
  if (!isHooked) {
    isHooked = true
    for (const level of LEVELS) {
      const write = console[level].bind(console)
      console[level] = (...values: unknown[]) => {
        const line = values
          .flatMap((value) => [String(value), ...stringsIn(value, level).map(({ text }) => text)])
          .join(' ')
        for (const lines of listeners) lines.push(line)
        write(...values)
      }
    }
  }
  const lines: string[] = []
  listeners.add(lines)
  return { lines, stop: () => listeners.delete(lines) }
}
