/** How long members were away after a worker was killed. */
import type { Recorded } from '../history.ts'

export interface Rejoin {
  readonly client: number
  /** When the worker was killed, in ms of the run. */
  readonly killedAt: number
  /** From the kill until every room was joined again, in ms; infinite when it never was. */
  readonly tookMs: number
}

interface Absence {
  readonly killedAt: number
  /** Those that are not joined again yet. */
  readonly missing: Set<string>
}

/** One entry for each time that a client was cut off after a kill, in the order of their returns. */
export const rejoinsOf = (events: readonly Recorded[]): Rejoin[] => {
  const rejoins: Rejoin[] = []
  const rooms = new Map<number, Set<string>>()
  const away = new Map<number, Absence>()
  let killedAt: number | undefined
  const isThere = (client: number, room: string, at: number) => {
    const absence = away.get(client)
    if (!absence?.missing.delete(room) || absence.missing.size > 0) return
    rejoins.push({ client, killedAt: absence.killedAt, tookMs: at - absence.killedAt })
    away.delete(client)
  }
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
        isThere(event.client, event.room, event.at)
        break
      case 'disconnected': {
        const missing = new Set(rooms.get(event.client))
        // Who is cut off again before it was back has been away since the first kill.
        const since = away.get(event.client)?.killedAt ?? killedAt
        if (since !== undefined && missing.size > 0)
          away.set(event.client, { killedAt: since, missing })
        break
      }
      case 'told':
        isThere(event.client, event.room, event.at)
    }
  for (const [client, { killedAt: since }] of away)
    rejoins.push({ client, killedAt: since, tookMs: Number.POSITIVE_INFINITY })
  return rejoins
}
