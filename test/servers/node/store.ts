import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newUsers } from './state.ts'

/** The refresh tokens that descend from one sign-in. Only the newest one may be used. */
export interface Family {
  id: string
  user: string
  current: string
  /** The one before, and when it was used: within the grace it may come again. */
  previous?: { id: string; usedAt: number }
  revoked: boolean
}

export interface OpaqueToken {
  user: string
  expiresAt: number
}

/** What a restart with the same data folder keeps. No token is in it, only ids and hashes of tokens. */
export interface Persisted {
  secret: Uint8Array
  users: Map<string, string>
  revokedUsers: Set<string>
  families: Map<string, Family>
  /** By SHA-256 of the token. */
  opaque: Map<string, OpaqueToken>
}

interface FileShape {
  secret: string
  users: [string, string][]
  revokedUsers: string[]
  families: [string, Family][]
  opaque: [string, OpaqueToken][]
}

function newlyMade(): Persisted {
  return {
    secret: randomBytes(32),
    users: newUsers(),
    revokedUsers: new Set(),
    families: new Map(),
    opaque: new Map(),
  }
}

function read(file: string): Persisted | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const shape = JSON.parse(text) as FileShape
  return {
    secret: Buffer.from(shape.secret, 'base64'),
    users: new Map(shape.users),
    revokedUsers: new Set(shape.revokedUsers),
    families: new Map(shape.families),
    opaque: new Map(shape.opaque),
  }
}

function write(file: string, data: Persisted): void {
  const shape: FileShape = {
    secret: Buffer.from(data.secret).toString('base64'),
    users: [...data.users],
    revokedUsers: [...data.revokedUsers],
    families: [...data.families],
    opaque: [...data.opaque],
  }
  // Renamed into place: a SIGKILL in the middle of a write must not lose the key, nor may a second
  // process with the same folder read half of it.
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(shape), { mode: 0o600 })
  renameSync(fresh, file)
}

/** In memory without a folder; otherwise every change is on disk before its answer leaves. */
export function openStore(dataDir: string | undefined): { data: Persisted; save: () => void } {
  if (dataDir === undefined) return { data: newlyMade(), save: () => {} }
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'reference-server.json')
  const data = read(file) ?? newlyMade()
  write(file, data)
  return { data, save: () => write(file, data) }
}
