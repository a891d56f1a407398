import { isClientId } from './read-frame.ts'
import type { Dialed } from './store.ts'

/** What the query of a handshake says beside the token. */
export interface Dial {
  /** The client's id, where it said one. */
  clientId: string | undefined
  /** Both `client` and `connection`, or neither: one alone fences nothing. */
  dialed: Dialed | undefined
  /** Rooms to join after the welcome. */
  join: readonly string[]
  /** Those of them that came after the room for names was full. */
  tooMany: readonly string[]
}

/** All names of rooms in the URL together, as they stand there. */
const MAX_JOIN_BYTES = 1_024

function readJoin(query: string): Pick<Dial, 'join' | 'tooMany'> {
  const join = new Set<string>()
  const tooMany = new Set<string>()
  let bytes = 0
  for (const part of query.split('&')) {
    if (!part.startsWith('join=')) continue
    bytes += part.length - 'join='.length
    const name = new URLSearchParams(part).get('join') ?? ''
    if (bytes > MAX_JOIN_BYTES) tooMany.add(name)
    else join.add(name)
  }
  return { join: [...join], tooMany: [...tooMany].filter((name) => !join.has(name)) }
}

function readConnection(text: string | null): number | undefined {
  const connection = /^[1-9]\d*$/.test(text ?? '') ? Number(text) : undefined
  return connection !== undefined && Number.isSafeInteger(connection) ? connection : undefined
}

/** Members that are not as they should be count as absent: a handshake has no answer for them. */
export function readDial(url: string): Dial {
  const query = url.split('?').slice(1).join('?')
  const members = new URLSearchParams(query)
  const client = members.get('client')
  const clientId = isClientId(client) ? client : undefined
  const connection = readConnection(members.get('connection'))
  const dialed = clientId && connection ? { client: clientId, connection } : undefined
  return { clientId, dialed, ...readJoin(query) }
}
