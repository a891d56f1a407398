/** The places where servers look for a token: tried in turn where the configured one is refused. */
import type { Transmission } from '../transmissions/transmission.ts'
import { viaCookie } from '../transmissions/via-cookie.ts'
import { viaHeader } from '../transmissions/via-header.ts'
import { viaQuery } from '../transmissions/via-query.ts'
import { viaSubprotocol } from '../transmissions/via-subprotocol.ts'

/** Kinds of places, as `diagnose` is told them. */
export type WayKind = 'subprotocol' | 'header' | 'cookie' | 'query'

export const WAY_KINDS: readonly WayKind[] = ['subprotocol', 'header', 'cookie', 'query']

export type WayName = `${WayKind}:${string}`

interface Way {
  readonly name: WayName
  readonly make: () => Transmission
  /** The line to write. */
  readonly code: string
}

const words = (word: string): Way => ({
  name: `subprotocol:${word}`,
  make: () => viaSubprotocol({ preset: 'pair', word }),
  code: `viaSubprotocol({ preset: 'pair', word: '${word}' })`,
})
const scheme = (name: string): Way => ({
  name: `header:${name}`,
  make: () => viaHeader({ scheme: name }),
  code: `viaHeader({ scheme: '${name}' })`,
})
const cookie = (name: string): Way => ({
  name: `cookie:${name}`,
  make: () => viaCookie({ name }),
  code: `viaCookie({ name: '${name}' })`,
})
const query = (param: string): Way => ({
  name: `query:${param}`,
  make: () => viaQuery({ param }),
  code: `viaQuery({ param: '${param}' })`,
})

/** Those that are seldom logged come first, the URL last. */
const ways = (): readonly Way[] => [
  { name: 'subprotocol:pair', make: () => viaSubprotocol(), code: 'viaSubprotocol()' },
  {
    name: 'subprotocol:kubernetes',
    make: () => viaSubprotocol('bearer'),
    code: "viaSubprotocol('bearer')",
  },
  words('bearer'),
  words('access_token'),
  {
    name: 'subprotocol:phoenix',
    make: () => viaSubprotocol('phoenix'),
    code: "viaSubprotocol('phoenix')",
  },
  { name: 'header:Bearer', make: () => viaHeader(), code: 'viaHeader()' },
  scheme('Token'),
  scheme('JWT'),
  ...['access_token', 'token', 'jwt'].map(cookie),
  { name: 'query:token', make: () => viaQuery(), code: 'viaQuery()' },
  ...['access_token', 'jwt', 'auth'].map(query),
]

export const wayNames = (kinds: readonly WayKind[], sight: 'node' | 'browser'): WayName[] =>
  ways()
    .filter(({ name }) => kinds.some((kind) => name.startsWith(`${kind}:`)))
    .filter(({ make }) => sight === 'node' || make().runtimes === 'any')
    .map(({ name }) => name)

export const wayOf = (name: WayName): Way | undefined => ways().find((way) => way.name === name)
