/** One client of a run: how it is connected, and where it is a member. */
import type { Membership } from './membership.ts'

export class Client {
  isConnected = false
  /** Index of the event that ended a socket of it last; -1 for none. */
  cutAt = -1
  /** The latest of its sockets that was told of a room. */
  socket = 0
  /** For how long it had heard nothing when it came back last, in ms. */
  awayMs = 0
  /** Keys of messages. */
  readonly got = new Set<string>()
  readonly rooms = new Map<string, Membership>()
  /** Index of the event, by room. */
  readonly left = new Map<string, number>()
  #silentAtMs: number | undefined

  connected(atMs: number): void {
    this.isConnected = true
    this.awayMs = atMs - (this.#silentAtMs ?? atMs)
    this.#silentAtMs = undefined
  }

  cut(socket: number, event: number): void {
    this.cutAt = event
    for (const membership of this.rooms.values()) membership.cut(socket)
  }

  disconnected(event: number, atMs: number): void {
    this.isConnected = false
    this.cutAt = event
    this.deafened(atMs)
  }

  /** Nothing reaches it until it is connected anew, whether it knows or not. */
  deafened(atMs: number): void {
    this.#silentAtMs ??= atMs
  }
}
