/** How long members were away after a worker was killed. */
import type { Recorded } from '../history.ts'

export interface Rejoin {
  readonly client: number
  /** When the worker was killed, in ms of the run. */
  readonly killedAt: number
  /** From the kill until every room was joined again, in ms; infinite when it never was. */
  readonly tookMs: number
}

interface Away {
  readonly killedAt: number
  readonly rooms: Set<string>
}

/** One entry for each client that a kill has cut off. */
export const rejoinsOf = (events: readonly Recorded[]): Rejoin[] => {
  const rejoins: Rejoin[] = []
  const rooms = new Map<number, Set<string>>()
  const away = new Map<number, Away>()
  let killedAt: number | undefined
  for (const event of events)
    switch (event.kind) {
      case 'fault':
        if (event.fault.kind === 'worker-killed') killedAt = event.at
        break
      case 'joined':
        rooms.set(event.client, (rooms.get(event.client) ?? new Set()).add(event.room))
        break
      case 'left':
        rooms.get(event.client)?.delete(event.room)
        break
      case 'disconnected':
        if (killedAt !== undefined)
          away.set(event.client, { killedAt, rooms: new Set(rooms.get(event.client)) })
        break
      case 'told': {
        const { client, at } = event
        const { rooms: left, killedAt: since } = away.get(client) ?? {}
        if (since === undefined || !left?.delete(event.room) || left.size > 0) break
        rejoins.push({ client, killedAt: since, tookMs: at - since })
        away.delete(client)
      }
    }
  for (const [client, { killedAt }] of away)
    rejoins.push({ client, killedAt, tookMs: Number.POSITIVE_INFINITY })
  return rejoins
}
