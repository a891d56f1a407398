/** One socket for all rooms. */
import { drainMs } from '../core/delays.ts'
import type { StateOf } from '../core/link-state.ts'
import { type Joined, Membership, wishOf } from '../core/membership.ts'
import { endedByUser, RoomError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Codec, Incoming, IncomingOf } from '../protocols/protocol.ts'
import type { Room } from '../room.ts'
import { Timers } from '../shell/timers.ts'
import { historyOf } from './history.ts'
import { Joins } from './joins.ts'
import { writeLeave } from './leave.ts'
import type { LinesHost, LinesMaker } from './lines.ts'
import { OneLine } from './one-line.ts'
import type { JoinOptions, RoomControl } from './room-control.ts'
import { Rooms } from './rooms.ts'
import { fault } from './wrong.ts'

export class SharedLine extends OneLine {
  protected readonly rooms: Rooms
  protected readonly joins: Joins
  #named: readonly string[] = []
  /** By which credential the server knows this client. */
  #credential: number | undefined
  /** What is done later on this socket, if it is still open then. */
  protected readonly delayed = new Timers()

  constructor(options: Resolved, host: LinesHost) {
    super(options, host)
    this.rooms = new Rooms(host, () => options.holder.identity.login, {
      check: (joining) => this.line.codec.checkJoin?.(joining),
      join: (control, joining) => this.#join(control, joining),
      leave: (control) => this.leave(control),
      send: ({ name }, data, sending) => this.line.send(name, data, sending),
      history: ({ name }, asking) => historyOf(this.line, name, asking),
    })
    this.joins = new Joins({
      codec: this.line.codec,
      answerMs: options.requestTimeoutMs,
      nextId: () => this.line.nextId(),
      write: (frame) => this.line.link.write(frame),
      unanswered: (membership) => this.unanswered(membership),
      unwritten: this.unwritten,
    })
  }

  override room(name: string): Room {
    return this.rooms.room(name)
  }

  override forget(since: number): void {
    this.rooms.forget(since)
    super.forget(since)
  }

  protected override isReady(room: string | undefined): boolean {
    return room === undefined || this.rooms.get(room)?.state === 'joined'
  }

  protected override epochOf(room: string | undefined): string | undefined {
    return room === undefined ? undefined : this.rooms.get(room)?.membership?.epoch
  }

  /** A URL holds names alone: neither what is asked for beside them, nor where to resume. */
  protected *roomsAtDial(): Iterable<string> {
    for (const { room, wish, epoch } of this.joins.wanted)
      if (wish === undefined && epoch === undefined) yield room
  }

  protected override addressed(url: URL, codec: Codec): void {
    this.#named = codec.address?.(url, this.roomsAtDial()) ?? []
  }

  protected override connected({ credential }: StateOf<'connected'>): void {
    if (this.#credential !== credential.id)
      for (const membership of this.memberships())
        if (membership.state === 'refused') this.joins.want(membership)
    this.#credential = credential.id
    this.ask()
  }

  protected override interrupted(): void {
    this.joins.interrupted()
    this.delayed.clear()
    for (const membership of this.memberships())
      if (membership.state !== 'refused') this.joins.comeBack(membership)
    this.rooms.interrupted()
  }

  /** Each room says by itself what it misses. */
  protected override reconnected(): void {}

  protected override failed(error: Error): void {
    this.rooms.failed(error)
  }

  protected override incoming(message: Incoming): void {
    switch (message.kind) {
      case 'message':
        if (message.room === undefined) super.incoming(message)
        else this.#message(message.room, message)
        break
      case 'welcome':
        this.#welcome(message)
        break
      case 'joined':
        this.#joined(message)
        break
      case 'presence':
        this.#presence(message)
        break
      case 'drain':
        this.#drain(message)
        break
      case 'error':
        if (!this.#refused(message)) super.incoming(message)
        break
      default:
        super.incoming(message)
    }
  }

  /** At a moment of its own, so that a server's clients do not all come at once. */
  #drain({ withinMs }: IncomingOf<'drain'>): void {
    const { state } = this.line.link
    const openMs = state.kind === 'connected' ? Date.now() - state.openedAt : 0
    this.delayed.after(drainMs(withinMs, openMs, Math.random()), 'drain', () => this.tell('redial'))
  }

  /** The hot path. A frame of a room that was left meanwhile finds nobody, not even who joined it since. */
  #message(room: string, { data, meta }: Pick<IncomingOf<'message'>, 'data' | 'meta'>): void {
    const control = this.rooms.get(room)
    const { membership } = control ?? {}
    if (control === undefined || membership?.epoch === undefined) return
    if (meta?.seq !== undefined && membership.epoch) {
      const place = membership.received(meta.seq)
      if (place === 'seen') return
      if (place === 'hole') control.missed({ reason: 'hole' })
    }
    control.receive(data, meta)
  }

  #welcome({ limits, features = [] }: IncomingOf<'welcome'>): void {
    const { count, bytes } = this.joins.limits
    this.joins.limits = {
      count: limits?.roomsPerJoin ?? count,
      bytes: limits?.frameBytes ?? bytes,
    }
    this.joins.showsPresence = features.includes('presence')
    if (!features.includes('join-in-url')) return
    const named = this.#named.flatMap((room) => this.rooms.get(room)?.membership ?? [])
    if (named.length > 0) this.joins.await(0, named)
  }

  #join(control: RoomControl, options: JoinOptions): void {
    const wish = wishOf(options)
    control.membership ??= new Membership(control.name, wish)
    const { membership } = control
    membership.wish = wish ?? membership.wish
    if (membership.state !== 'asked' || wish !== undefined) this.joins.want(membership)
    this.tell('connect')
    // Rooms that are joined in one go share a frame.
    if (this.joins.wanted.size === 1) queueMicrotask(() => this.ask())
  }

  protected leave(control: RoomControl): void {
    const { membership, name } = control
    const state = membership?.state
    if (this.line.isConnected && (state === 'asked' || state === 'joined'))
      writeLeave(this.line, name, this.host.report)
    if (membership) this.joins.forget(membership)
    this.line.delivery.end(endedByUser('not sent: the room was left'), name)
  }

  protected ask(): void {
    if (this.line.isConnected) this.joins.ask()
  }

  #joined(message: IncomingOf<'joined'> & Joined): void {
    const control = this.rooms.get(message.room)
    const { membership } = control ?? {}
    if (control === undefined || !membership?.isAnsweredBy(message.id)) return
    this.joins.forget(membership)
    const came = membership.joined(message)
    if (control.state !== 'joined') control.joined(came !== 'new')
    if (typeof came === 'object') control.missed(came)
    for (const missed of message.messages ?? []) this.#message(message.room, missed)
    if (message.members && message.version !== undefined)
      control.met(message.version, message.members)
    this.host.waiters.lookAt(control)
    this.line.delivery.flush(message.room)
  }

  #presence({ room, version, joins, leaves }: IncomingOf<'presence'>): void {
    const control = this.rooms.get(room)
    const { membership } = control ?? {}
    if (control?.sawChange(version, joins, leaves) !== false) return
    // The answer to another join brings the whole list.
    if (membership?.state === 'joined') this.#again(membership, 0)
  }

  /** @returns `false` for an error that is about no join */
  #refused({ id, room, code, message, retryAfterMs }: IncomingOf<'error'>): boolean {
    const membership = room === undefined ? undefined : this.rooms.get(room)?.membership
    if (!membership?.isRefusedBy(id)) return false
    if (retryAfterMs === undefined) this.#refuse(membership, code, message)
    else this.#again(membership, retryAfterMs)
    return true
  }

  /** A room that was joined before is not given up: the server may have lost the question, or the answer. */
  protected unanswered(membership: Membership): void {
    if (membership.epoch === undefined)
      this.#refuse(membership, 'timeout', 'the server did not answer the join')
    else this.#again(membership, 0)
  }

  protected readonly unwritten = (membership: Membership, cause: unknown): void =>
    this.#refuse(membership, 'unwritten', fault('protocol.join()', cause).message, { cause })

  #again(membership: Membership, afterMs: number): void {
    this.joins.again(membership, afterMs, this.delayed, () => {
      // It was left in the meantime.
      if (this.rooms.get(membership.room)?.membership !== membership) return
      this.joins.want(membership)
      this.ask()
    })
  }

  #refuse(membership: Membership, code: string, text: string, options?: ErrorOptions): void {
    const { room } = membership
    const error = new RoomError(`room ${room} was refused: ${text}`, room, code, options)
    this.joins.forget(membership)
    membership.state = 'refused'
    membership.epoch = undefined
    this.line.delivery.end(error, room)
    this.rooms.tell(room, (control) => control.refused(error))
  }

  protected *memberships(): Iterable<Membership> {
    for (const { membership } of this.rooms.controls) if (membership) yield membership
  }
}

/** One socket carries all rooms; the server joins and leaves them by frames. */
export const sharedLine: LinesMaker = {
  kind: 'shared',
  make: (options, host) => new SharedLine(options, host),
}
