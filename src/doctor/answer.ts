/** Reads an HTTP answer. Of its texts nothing is kept but what is known: they may repeat a token. Pure. */
import type { Answered, ServerName } from './facts.ts'

export interface RawAnswer {
  readonly status: number
  readonly reason: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The beginning of the body. */
  readonly body: string
  /** What was asked for, without the token. */
  readonly url: URL
  /** Own clock at the answer, epoch ms. */
  readonly at: number
}

const SERVERS: readonly ServerName[] = [
  'uvicorn',
  'daphne',
  'hypercorn',
  'gunicorn',
  'WSGIServer',
  'nginx',
  'Apache',
  'cloudflare',
  'Caddy',
  'envoy',
  'awselb',
  'websockets',
]

export const serverNameOf = (header: string | undefined): ServerName | undefined =>
  SERVERS.find((name) => header?.toLowerCase().includes(name.toLowerCase()))

/** Own clock minus that of the `Date` header, which has whole seconds. */
export const skewIn = (date: string | undefined, at: number): number | undefined => {
  const there = Date.parse(date ?? '')
  return Number.isNaN(there) ? undefined : at - there - 500
}

/** What HTTP frameworks answer to a GET of a path that they do not have, and to nothing else. */
const PAGES = [
  '{"detail":"Not Found"}',
  '<p>The requested resource was not found on this server.</p>',
  'Page not found <span>(404)</span>',
  'Cannot GET /',
]
const TOO_LARGE = [
  'Request Header Or Cookie Too Large',
  'Request-URI Too Large',
  'Request Header Fields Too Large',
  'line too long',
  'chunk is longer than limit',
]
const TLS_PORT = ['plain HTTP request was sent to HTTPS port', 'speaking plain HTTP to an SSL']
/** Words of networks with a sign-in; WISPr is what they put into their pages for machines. */
const PORTAL = ['WISPAccessGatewayParam', 'captive', 'hotspot', 'wi-fi', 'wifi']

const holds = (text: string, marks: readonly string[]): boolean =>
  marks.some((mark) => text.toLowerCase().includes(mark.toLowerCase()))

const markOf = ({ status, reason, headers, body }: RawAnswer, html: boolean): Answered['mark'] => {
  if (status === 511 || (html && holds(body, PORTAL))) return 'portal'
  if (status === 403) return isAsgiClose(reason, headers, body) ? 'asgi-closed' : undefined
  if (status < 400) return undefined
  if (holds(body, TLS_PORT)) return 'tls-port'
  if (status === 431 || status === 414 || holds(body, TOO_LARGE)) return 'too-large'
  if (status === 404 && serverNameOf(headers['server']) === 'uvicorn') return 'page'
  return holds(body, PAGES) ? 'page' : undefined
}

/**
 * - daphne: `403 Access denied`, and nothing else
 * - wsproto: `403` without a reason
 * - websockets: `403 Forbidden`, of no length and yet of a type
 */
const isAsgiClose = (reason: string, headers: RawAnswer['headers'], body: string): boolean => {
  if (body !== '') return false
  if (reason === 'Access denied') return true
  const length = headers['content-length']
  return (
    length === '0' && (reason === '' || headers['content-type']?.startsWith('text/plain') === true)
  )
}

const leadsTo = (from: URL, location: string | undefined): Answered['leads'] => {
  if (location === undefined) return undefined
  let to: URL
  try {
    to = new URL(location, httpOf(from))
  } catch {
    return 'same-host'
  }
  if (to.hostname !== from.hostname) return 'other-host'
  if (stripped(to) === stripped(from) && to.pathname !== from.pathname) return 'other-slash'
  return to.protocol === 'https:' && from.protocol === 'ws:' ? 'to-tls' : 'same-host'
}

const stripped = ({ pathname }: URL): string =>
  pathname.endsWith('/') ? pathname.slice(0, -1) : pathname

/** The URL that an ordinary request has. */
export const httpOf = (url: URL): URL => {
  const http = new URL(url)
  http.protocol = url.protocol === 'wss:' || url.protocol === 'https:' ? 'https:' : 'http:'
  return http
}

export const readAnswer = (raw: RawAnswer): Answered => {
  const { status, headers, body } = raw
  const html = (headers['content-type'] ?? '').includes('html') || body.trimStart().startsWith('<')
  const mark = markOf(raw, html)
  const leads = status >= 300 && status < 400 ? leadsTo(raw.url, headers['location']) : undefined
  const challenge = headers['www-authenticate']
  const server = serverNameOf(headers['server'])
  const skewMs = skewIn(headers['date'], raw.at)
  return {
    kind: 'answer',
    status,
    bytes: body.length,
    html,
    ...(mark && { mark }),
    ...(leads && { leads }),
    ...(server && { server }),
    ...(skewMs !== undefined && { skewMs }),
    ...(challenge && { asks: isBasic(challenge) ? ('basic' as const) : ('other' as const) }),
    ...(wantsOther(headers) && { wantsOther: true as const }),
  }
}

const isBasic = (challenge: string): boolean => challenge.toLowerCase().startsWith('basic')

const wantsOther = (headers: RawAnswer['headers']): boolean => {
  const version = headers['sec-websocket-version']
  const upgrade = headers['upgrade']
  return (
    (version !== undefined && !version.includes('13')) ||
    (upgrade !== undefined && upgrade.toLowerCase() !== 'websocket')
  )
}
