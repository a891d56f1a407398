import type { Fault } from './faults.ts'
import { isSendableCode, parseFaults } from './faults.ts'
import type {
  Counts,
  DialRecord,
  JoinRecord,
  Received,
  RefreshRecord,
  ServerState,
  Settings,
} from './state.ts'
import { defaultSettings, newCounts, newUsers } from './state.ts'
import type { MintRequest, Pair, Tokens } from './tokens.ts'

export interface CloseRequest {
  code: number
  reason?: string
  room?: string
}

/** What a test may do to the server; the HTTP door gives the same by name. */
export interface Control {
  reset(): void
  mint(request: MintRequest): Promise<Pair>
  settings(changes: Partial<Settings>): Settings
  revoke(user: string): void
  deleteUser(user: string): void
  closeSockets(request: CloseRequest): number
  received(): Received[]
  openSockets(): number
  counts(): Counts
  dials(): DialRecord[]
  refreshes(): RefreshRecord[]
  joins(): JoinRecord[]
  /** Sign-ins so far, and how many of them a reuse, or a revocation, has ended. */
  families(): { total: number; revoked: number }
  /** Answers how many rules wait now. */
  fault(faults: Fault | readonly Fault[]): number
  /** Tells the sockets of `/ws/rooms` to go within so long, and closes with 1012 who has not. */
  drain(withinMs: number): Promise<void>
  /** As a crash of what keeps the rooms: all count anew. */
  forgetRooms(): Promise<void>
}

/** What the control needs of the rooms. */
export interface RoomsControl {
  drain(withinMs: number): Promise<void>
  forget(): Promise<void>
}

function clearLog(state: ServerState): void {
  state.received.length = 0
  state.dials.length = 0
  state.refreshes.length = 0
  state.joins.length = 0
  state.faults.clear()
  Object.assign(state.counts, newCounts())
}

function checkSettings(state: ServerState, changes: Partial<Settings>): void {
  for (const key of Object.keys(changes)) {
    if (!(key in state.settings)) throw new TypeError(`no setting is called "${key}"`)
  }
  const refusal = changes.refuseSockets
  if (refusal?.when === 'after-accept' && !isSendableCode(refusal.code || 4003)) {
    throw new TypeError(`no server can send the close code ${refusal.code}`)
  }
}

export function createControl(state: ServerState, tokens: Tokens, rooms: RoomsControl): Control {
  return {
    reset() {
      state.persisted.users = newUsers()
      state.persisted.revokedUsers.clear()
      Object.assign(state.settings, defaultSettings())
      clearLog(state)
      state.save()
    },
    mint: (request) => tokens.mint(request),
    settings(changes) {
      checkSettings(state, changes)
      return Object.assign(state.settings, changes)
    },
    revoke(user) {
      state.persisted.revokedUsers.add(user)
      state.save()
    },
    deleteUser(user) {
      state.persisted.users.delete(user)
      state.save()
    },
    closeSockets({ code, reason, room }) {
      if (!isSendableCode(code)) throw new TypeError(`no server can send the close code ${code}`)
      const closing = [...state.connections].filter(
        (connection) => room === undefined || connection.rooms.has(room),
      )
      for (const { socket } of closing) socket.close(code, reason)
      return closing.length
    },
    received: () => [...state.received],
    openSockets: () => state.connections.size,
    counts: () => ({ ...state.counts }),
    dials: () => state.dials.map((dial) => ({ ...dial })),
    joins: () => state.joins.map((join) => ({ ...join })),
    refreshes: () => state.refreshes.map((refresh) => ({ ...refresh })),
    families() {
      const all = [...state.persisted.families.values()]
      return { total: all.length, revoked: all.filter(({ revoked }) => revoked).length }
    },
    fault(faults) {
      state.faults.add(parseFaults(faults))
      return state.faults.waiting
    },
    drain: (withinMs) => rooms.drain(withinMs),
    forgetRooms: () => rooms.forget(),
  }
}
