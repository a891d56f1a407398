import type { IncomingMessage } from 'node:http'

export type Transmission =
  | 'subprotocol-pair'
  | 'subprotocol-bearer'
  | 'subprotocol-phoenix'
  | 'subprotocol-jupyter'
  | 'subprotocol-custom'
  | 'query'
  | 'header'
  | 'cookie'
  | 'first-message'

export interface Carried {
  transmission: Transmission
  token: string
}

/** The pair's first word, as in the article's `token, YOUR_JWT_TOKEN`; others write `bearer`. */
const PAIR_WORDS = ['token', 'bearer']
/** As Kubernetes names it; what follows is the base64url form of the token. */
const BEARER_PREFIX = 'base64url.bearer.authorization.k8s.io.'
/** What follows is plain base64, whatever it says. */
const PHOENIX_PREFIX = 'base64url.bearer.phx.'
/** What follows is percent-encoded. */
const JUPYTER_PREFIX = 'v1.token.websocket.jupyter.org.'
/** Stands for "a custom carrier": any word that a server and its client agree on. */
const CUSTOM_PREFIX = 'jwt.'

export function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol']
  if (header === undefined) return []
  return header
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

export function cookiesOf(request: IncomingMessage): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) cookies.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim())
  }
  return cookies
}

interface SubprotocolReading {
  carried: Carried[]
  /** The offered words that carry no token. */
  plain: string[]
}

function readSubprotocols(offered: readonly string[]): SubprotocolReading {
  const reading: SubprotocolReading = { carried: [], plain: [] }
  for (let index = 0; index < offered.length; index += 1) {
    const word = offered[index] ?? ''
    if (PAIR_WORDS.includes(word)) {
      const token = offered[index + 1]
      if (token !== undefined) reading.carried.push({ transmission: 'subprotocol-pair', token })
      index += 1
    } else if (word.startsWith(BEARER_PREFIX)) {
      const token = Buffer.from(word.slice(BEARER_PREFIX.length), 'base64url').toString()
      reading.carried.push({ transmission: 'subprotocol-bearer', token })
    } else if (word.startsWith(PHOENIX_PREFIX)) {
      const token = Buffer.from(word.slice(PHOENIX_PREFIX.length), 'base64').toString()
      reading.carried.push({ transmission: 'subprotocol-phoenix', token })
    } else if (word.startsWith(JUPYTER_PREFIX)) {
      const token = decoded(word.slice(JUPYTER_PREFIX.length))
      reading.carried.push({ transmission: 'subprotocol-jupyter', token })
    } else if (word.startsWith(CUSTOM_PREFIX)) {
      reading.carried.push({
        transmission: 'subprotocol-custom',
        token: word.slice(CUSTOM_PREFIX.length),
      })
    } else if (looksLikeJwt(word)) {
      reading.carried.push({ transmission: 'subprotocol-custom', token: word })
    } else {
      reading.plain.push(word)
    }
  }
  return reading
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return 'undecodable'
  }
}

/** A bare token among the offered words must never be echoed: it would come back in `socket.protocol`. */
function looksLikeJwt(word: string): boolean {
  return word.startsWith('eyJ') && word.split('.').length === 3
}

/**
 * A browser sends our cookies along whatever page dials, and says which. Pages of a test have a port of their
 * own, so only the name of the host counts; who says nothing is no browser.
 */
function isFromHere({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined) return true
  if (!URL.canParse(headers.origin) || !URL.canParse(`http://${headers.host}`)) return false
  return new URL(headers.origin).hostname === new URL(`http://${headers.host}`).hostname
}

/** Every place of a handshake that carries a token. A good client uses exactly one. */
export function readCarried(request: IncomingMessage): Carried[] {
  const carried = readSubprotocols(offeredProtocols(request)).carried
  // Not `new URL`: it throws on request targets such as `//`, which anybody may send.
  const query = new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'))
  for (const token of query.getAll('token')) carried.push({ transmission: 'query', token })
  const [scheme, credential] = (request.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() === 'bearer' && credential !== undefined) {
    carried.push({ transmission: 'header', token: credential })
  }
  const cookie = isFromHere(request) ? cookiesOf(request).get('access_token') : undefined
  if (cookie !== undefined) carried.push({ transmission: 'cookie', token: cookie })
  return carried.filter(({ token }) => token !== '')
}

/** The first offered word that is no token, else the word of a pair, else none: never a token. */
export function chooseProtocol(offered: readonly string[]): string | false {
  const first = readSubprotocols(offered).plain[0]
  if (first !== undefined) return first
  return offered.find((word) => PAIR_WORDS.includes(word)) ?? false
}
