/** The rooms of one socket, asked for on its successor; and what becomes of them where that comes to nothing. */
import type { Membership } from '../core/membership.ts'
import type { Joins } from './joins.ts'

export class Resumption {
  /** The number of the successor's dial. */
  readonly dial: number
  /** On the successor. */
  readonly #joins: Joins
  /** What the current socket has not joined, and the request that it has not answered either, if there is one. */
  readonly #owed = new Map<Membership, number | undefined>()

  constructor(dial: number, joins: Joins) {
    this.dial = dial
    this.#joins = joins
  }

  /** Everything was answered. */
  get isDone(): boolean {
    return this.#joins.isIdle
  }

  /** @param current the joins of the current socket */
  ask(memberships: Iterable<Membership>, current: Joins): void {
    this.#joins.limits = current.limits
    this.#joins.showsPresence = current.showsPresence
    for (const membership of memberships) {
      const { state, askedBy } = membership
      if (state === 'refused') continue
      if (state !== 'joined')
        this.#owed.set(membership, current.awaits(membership) ? askedBy : undefined)
      current.forget(membership)
      this.#joins.want(membership)
    }
    this.#joins.ask()
  }

  awaits(membership: Membership): boolean {
    return this.#joins.awaits(membership)
  }

  /** By the successor; or nobody wants it any more. */
  forget(membership: Membership): void {
    this.#joins.forget(membership)
  }

  /** The current socket has answered a request of its own, and goes on with the room. */
  joined(membership: Membership, id: number | undefined): void {
    if (this.#owed.get(membership) === id) this.#owed.delete(membership)
  }

  /**
   * The current socket has answered, and nothing came of it: where it stays it is asked again.
   *
   * @returns whether this answers a request to the current socket
   */
  wasted(membership: Membership, id: number | undefined): boolean {
    if (id === undefined || this.#owed.get(membership) !== id) return false
    this.#owed.set(membership, undefined)
    return true
  }

  /** Everything stands where it stood on the current socket. */
  goBack(memberships: Iterable<Membership>, current: Joins): void {
    const asked = new Map<number, Membership[]>()
    for (const membership of memberships) {
      const id = this.#owed.get(membership)
      const isAwaited = this.awaits(membership)
      // The successor may have told a place to resume from, of which that request knows nothing.
      if (id !== undefined && isAwaited) {
        const all = asked.get(id)
        if (all) all.push(membership)
        else asked.set(id, [membership])
      } else if (this.#owed.has(membership)) current.want(membership)
      else if (isAwaited) membership.state = 'joined'
    }
    for (const [id, all] of asked) current.await(id, all)
    this.interrupted()
  }

  /** Nothing more is heard of the successor. */
  interrupted(): void {
    this.#joins.interrupted()
  }
}
