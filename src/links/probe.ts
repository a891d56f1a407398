/** Asks what can be learned while a link waits: whether the host answers, or whether it takes the token. */
import type { Resolved, UrlContext } from '../options.ts'
import { checkUrl, isListed, urlOf } from './handshake.ts'

export type ProbeAnswer = 'answers' | 'gone' | 'accepted' | 'refused'

/** Never rejects. */
export const probeAnswer = async (
  options: Resolved,
  credential: number,
  context: Omit<UrlContext, 'attempt'>,
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  const { probe } = options
  const fetch = options.fetch ?? globalThis.fetch
  try {
    const url = urlOf(options, { ...context, attempt: 0 })
    if (probe === undefined) return await probeHost(fetch, url, signal)
    if (typeof probe !== 'function')
      return await probeToken(options, credential, probe, url, signal)
    const result = await probe({ signal })
    return result === 'unreachable' ? 'gone' : result
  } catch {
    return 'gone'
  }
}

/**
 * Any response means "answers": it is opaque, so a 502 answers too. No token travels, so redirects may be
 * followed, which `no-cors` requires.
 */
const probeHost = async (
  fetch: typeof globalThis.fetch,
  socketUrl: URL,
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  await fetch(httpOf(socketUrl).origin, {
    method: 'HEAD',
    mode: 'no-cors',
    credentials: 'omit',
    cache: 'no-store',
    signal,
  })
  return 'answers'
}

/** The token goes to the socket's own origin, or a listed one, and nowhere else. */
const probeToken = async (
  options: Resolved,
  credential: number,
  probe: string | URL,
  socketUrl: URL,
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  const base = httpOf(socketUrl)
  const target = new URL(probe, base)
  const url = checkUrl(target.href, options)
  if (!isListed(url, base.origin, options.origins ?? []))
    throw new TypeError('probe must be on the origin of the socket, or on a listed one')
  const token = options.holder.tokenOf(credential)
  const response = await (options.fetch ?? globalThis.fetch)(target, {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    credentials: token === undefined ? 'include' : 'omit',
    redirect: 'error',
    cache: 'no-store',
    signal,
  })
  if (response.ok) return 'accepted'
  return response.status === 401 || response.status === 403 ? 'refused' : 'gone'
}

const httpOf = (url: URL): URL => new URL(url.href.replace(/^ws/, 'http'))
