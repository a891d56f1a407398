/**
 * One socket for all rooms, and a second one while the token is renewed: the rooms are joined there where they stand,
 * then what is written moves over.
 */
import type { LinkState, StateOf } from '../core/link-state.ts'
import { isMoving, successorOf } from '../core/link-swap.ts'
import type { Membership } from '../core/membership.ts'
import { errorOf } from '../error-of.ts'
import { RoomError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Codec, Incoming, IncomingOf } from '../protocols/protocol.ts'
import { Ahead } from './ahead.ts'
import { fenced } from './fenced.ts'
import { Joins } from './joins.ts'
import { writeLeave } from './leave.ts'
import type { LinesHost } from './lines.ts'
import { type Rejoined, rejoinOf } from './rejoin.ts'
import { Resumption } from './resumption.ts'
import type { RoomControl } from './room-control.ts'
import { SharedLine } from './shared-line.ts'

export class SwappingLine extends SharedLine {
  readonly #answerMs: number
  readonly #read: Codec['read']
  /** On a successor that may be the current one before all is answered. */
  #resumption: Resumption | undefined
  readonly #ahead = new Ahead()
  /** Of the current socket, or an equal one of those before. */
  #welcome: Parameters<Codec['read']>[0] = ''

  constructor(options: Resolved, host: LinesHost) {
    super(options, host)
    this.#answerMs = options.requestTimeoutMs
    const { codec } = this.line
    this.#read = codec.read.bind(codec)
    // It is this line's own, and sees each answer before anything is done about it.
    codec.read = (frame) => this.#heard(frame)
  }

  /** On the socket of the next dial nothing is joined in the URL: a room that is joined already has a place to resume. */
  protected override *roomsAtDial(): Iterable<string> {
    if (!this.line.isConnected) yield* super.roomsAtDial()
  }

  protected override isReady(room: string | undefined): boolean {
    const membership = this.#membershipOf(room)
    const isAwaited = membership !== undefined && this.#resumption?.awaits(membership)
    return !this.#isMoving && !isAwaited && super.isReady(room)
  }

  protected override ask(): void {
    if (!this.#isMoving) super.ask()
  }

  protected override leave(control: RoomControl): void {
    const { membership } = control
    if (this.#isMoving) writeLeave(this.line, control.name, this.host.report, this.#nextDial)
    super.leave(control)
    if (membership) this.#answered(membership)
  }

  protected override changed(next: LinkState, previous: LinkState): void {
    // Not closed and opened anew, but left for one that is open already.
    if (previous.kind === 'connected' && next.kind === 'connecting' && next.openedAt !== undefined)
      this.line.delivery.interrupted()
    super.changed(next, previous)
    const successor = successorOf(next)
    if (successor?.kind === 'joining' && !isMoving(previous)) this.#resume()
    if (successor?.kind === 'joined') this.#lookAnswered()
    if (next.kind !== 'connected' || successor || !successorOf(previous)) return
    if (next.memory.dials > previous.memory.dials) this.#moved(next)
    else this.#stayed(next)
  }

  protected override interrupted(): void {
    this.#resumption?.interrupted()
    this.#resumption = undefined
    this.#ahead.clear()
    super.interrupted()
  }

  protected override incoming(message: Incoming): void {
    if (message.kind === 'joined') this.#rejoined(message)
    else if (message.kind === 'error') this.#refused(message)
    else if (message.kind !== 'message' || !this.#isLeft(message)) super.incoming(message)
  }

  /** To the other socket, or to the answer of this one, which bring what is missing before it. */
  #isLeft({ room, meta }: IncomingOf<'message'>): boolean {
    const membership = this.#membershipOf(room)
    const isToCome = this.#isMoving || membership?.state === 'asked'
    return isToCome && this.#ahead.leaves(membership, meta?.seq)
  }

  #membershipOf(room: string | undefined): Membership | undefined {
    return room === undefined ? undefined : this.rooms.get(room)?.membership
  }

  get #isMoving(): boolean {
    return isMoving(this.line.link.state)
  }

  get #nextDial(): number {
    return this.line.link.state.memory.dials + 1
  }

  #heard(frame: string | ArrayBuffer): Incoming {
    const incoming = this.#read(frame)
    const isAlone = successorOf(this.line.link.state) === undefined
    switch (incoming.kind) {
      case 'welcome':
        if (isAlone) this.#welcome = frame
        return incoming
      case 'ok':
      case 'error':
        queueMicrotask(() => this.#lookAnswered())
        return incoming
      case 'verdict':
        return isAlone || incoming.id === undefined ? incoming : fenced(incoming.id)
      default:
        return incoming
    }
  }

  /** Asks on the successor for every room, also for those that the current socket has not answered yet. */
  #resume(): void {
    const { codec, link } = this.line
    const dial = this.#nextDial
    const joins = new Joins({
      codec,
      answerMs: this.#answerMs,
      nextId: () => this.line.nextId(),
      write: (frame) => link.write(frame, dial),
      unanswered: (membership) =>
        this.#isMoving
          ? this.#giveUp(membership, 'timeout', 'the server did not answer the join')
          : this.unanswered(membership),
      unwritten: this.unwritten,
    })
    this.#resumption?.interrupted()
    this.#resumption = new Resumption(dial, joins)
    this.#resumption.ask(this.memberships(), this.joins)
    this.#lookResumed()
  }

  #rejoined(message: Rejoined): void {
    const control = this.rooms.get(message.room)
    const { membership } = control ?? {}
    // Left meanwhile.
    if (!control || !membership) return
    const resumption = this.#resumption
    const where = { isAwaited: resumption?.awaits(membership) === true, isMoving: this.#isMoving }
    switch (rejoinOf(message, membership, where)) {
      case 'alone':
        super.incoming(message)
        this.#answered(membership)
        break
      case 'resumed':
        if (membership.state === 'asked') membership.state = 'joined'
        this.#goesOn(message, control)
        this.#answered(membership)
        break
      case 'late':
        resumption?.joined(membership, message.id)
        this.#goesOn(message, control)
        break
      case 'nothing':
        resumption?.wasted(membership, message.id)
        break
      case 'not-resumed':
        this.#giveUp(membership, 'no-recovery', 'the server did not resume it')
        break
      case 'anew':
        this.tell('redial')
    }
  }

  #answered(membership: Membership): void {
    this.#resumption?.forget(membership)
    this.#lookResumed()
    this.line.delivery.flush()
  }

  #goesOn({ room, messages = [], members, version }: Rejoined, control: RoomControl): void {
    // The current socket may say it late, or never, and the successor too.
    if (control.state !== 'joined') control.joined(true)
    for (const { data, meta } of messages) super.incoming({ kind: 'message', room, data, meta })
    if (members && version !== undefined && !control.isPast(version)) control.met(version, members)
    this.host.waiters.lookAt(control)
  }

  #refused(message: IncomingOf<'error'>): void {
    const { id, room, code } = message
    const membership = this.#membershipOf(room)
    const resumption = this.#resumption
    if (!membership || !resumption) super.incoming(message)
    else if (resumption.wasted(membership, id)) return
    else if (!membership.isRefusedBy(id) || !resumption.awaits(membership)) super.incoming(message)
    else if (this.#isMoving) this.#giveUp(membership, code, message.message)
    else {
      super.incoming(message)
      // What is current now has not joined it.
      this.rooms.get(membership.room)?.interrupted()
      this.#answered(membership)
    }
  }

  #giveUp({ room }: Membership, code: string, text: string): void {
    this.host.report(
      new RoomError(`a renewal failed: room ${room} on its socket: ${text}`, room, code),
    )
    this.tell('renewal-failed')
  }

  #lookResumed(): void {
    if (!this.#resumption?.isDone) return
    if (this.#isMoving) this.tell('resumed')
    else this.#resumption = undefined
  }

  #lookAnswered(): void {
    const { link, delivery } = this.line
    if (successorOf(link.state)?.kind === 'joined' && delivery.inFlight === 0) this.tell('moved')
  }

  /** What the first socket had in mind for later was its own. */
  #moved(state: StateOf<'connected'>): void {
    this.delayed.clear()
    this.line.delivery.interrupted()
    this.#lookResumed()
    for (const membership of this.#ahead.take()) this.joins.want(membership)
    this.connected(state)
    this.line.delivery.flush()
  }

  /** The successor is gone, and the current socket was never left. */
  #stayed({ renewal, memory }: StateOf<'connected'>): void {
    if (renewal?.kind === 'failed') this.host.report(errorOf(renewal.problem, this.where))
    // The other welcome may have named somebody else.
    this.#read(this.#welcome)
    if (this.#resumption && this.#resumption.dial > memory.dials) {
      this.#resumption.goBack(this.memberships(), this.joins)
      this.#resumption = undefined
    }
    for (const membership of this.#ahead.take()) this.joins.want(membership)
    this.ask()
    this.line.delivery.flush()
  }
}
