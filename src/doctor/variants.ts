/** Turns what is to be tried into a handshake. Holds the token: nothing of it goes into facts. */

import { setHeader } from '../core/headers.ts'
import type { AuthedSocketOptions } from '../options.ts'
import type { Codec } from '../protocols/protocol.ts'
import type { Handshake, Transmission } from '../transmissions/transmission.ts'
import type { Captured } from './capture.ts'
import type { ProbeName } from './facts.ts'
import { otherSlash } from './near-paths.ts'
import { unwrapToken } from './token-facts.ts'
import { type WayName, wayOf } from './ways.ts'

export interface Subject {
  readonly captured: Captured
  readonly transmission: AuthedSocketOptions['transmission']
  readonly room: string | undefined
  /** Makes a name that nobody uses: a room, a path, a token. */
  readonly stranger: () => string
  readonly clientId: () => string
}

/** @throws when it cannot be built; the message may hold the token, so it goes nowhere */
export const handshakeFor = (probe: ProbeName, subject: Subject): Handshake => {
  const { captured } = subject
  const { full } = captured
  const [kind = '', name = ''] = splitOnce(probe)
  switch (kind) {
    case 'fake-token':
      return carry(subject, subject.stranger())
    case 'long-token':
      return carry(subject, 'x'.repeat(captured.token?.length ?? 0))
    case 'bare-token':
      return carry(subject, unwrapToken(captured.token ?? ''))
    case 'other-slash':
      return { ...full, url: withPath(full.url, otherSlash(full.url.pathname)) }
    case 'other-room':
      return { ...full, url: withRoom(full.url, subject) }
    case 'unknown-path':
      return at(`/${subject.stranger()}`, carryFake(subject))
    case 'near':
      return at(name, full)
    case 'own-origin':
      return withOrigin(full, full.url.origin.replace('ws', 'http'))
    case 'no-origin':
      return withOrigin(full, undefined)
    case 'no-protocols':
      return { ...full, protocols: [] }
    case 'way':
      return via(name, captured.bare, captured.token ?? '')
    case 'fake-way':
      return via(name, captured.bare, subject.stranger())
    default:
      return full
  }
}

/** The offered subprotocols that another token would change. */
export const secretWords = (
  probe: ProbeName,
  { protocols }: Handshake,
  subject: Subject,
): readonly string[] => {
  if (subject.transmission === undefined) return []
  const [kind, way] = splitOnce(probe)
  const isWay = kind === 'way' || kind === 'fake-way'
  // The rest of such a name is that of a way.
  const twin = handshakeFor(isWay ? (`fake-way:${way}` as ProbeName) : 'fake-token', subject)
  return protocols.filter((word) => !twin.protocols.includes(word))
}

/** `near:/ws/a` and its like; others have no second part. */
const splitOnce = (probe: ProbeName): readonly [string, string?] => {
  const colon = probe.indexOf(':')
  return colon < 0 ? [probe] : [probe.slice(0, colon), probe.slice(colon + 1)]
}

const carry = ({ captured, transmission }: Subject, token: string): Handshake =>
  through(transmission, captured.bare, token)

const carryFake = (subject: Subject): Handshake =>
  subject.transmission ? carry(subject, subject.stranger()) : subject.captured.bare

const through = (
  transmission: Transmission | undefined,
  bare: Handshake,
  token: string,
): Handshake => transmission?.carry(bare, token) ?? bare

const via = (name: string, bare: Handshake, token: string): Handshake =>
  // The name of the probe is made of that of the way.
  through(wayOf(name as WayName)?.make(), bare, token)

const withPath = (url: URL, path: string): URL => {
  const moved = new URL(url)
  moved.pathname = path
  return moved
}

const at = (path: string, handshake: Handshake): Handshake => ({
  ...handshake,
  url: withPath(handshake.url, path),
})

const withRoom = (url: URL, { room = '', stranger }: Subject): URL => {
  const name = encodeURIComponent(room)
  const parts = url.pathname.split('/').map((part) => (part === name ? stranger() : part))
  return withPath(url, parts.join('/'))
}

/** Protocols whose URL names the client: each dial is one of its own. */
export const addressed = (handshake: Handshake, codec: Codec): Handshake => {
  if (codec.address === undefined) return handshake
  const url = new URL(handshake.url)
  codec.address(url, [])
  return { ...handshake, url }
}

const withOrigin = (handshake: Handshake, origin: string | undefined): Handshake => {
  const others = Object.entries(handshake.headers).filter(
    ([name]) => name.toLowerCase() !== 'origin',
  )
  const headers = Object.fromEntries(others)
  return {
    ...handshake,
    headers: origin === undefined ? headers : setHeader(headers, 'Origin', () => origin),
  }
}
