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
  try {
    const url = httpOf(urlOf(options, { ...context, attempt: 0 }))
    if (probe === undefined) return await probeHost(options, url, signal)
    if (typeof probe !== 'function')
      return await probeToken(options, credential, probe, url, signal)
    const result = await probe({ signal })
    if (result === 'unreachable') return 'gone'
    return result === 'accepted' || result === 'refused'
      ? result
      : unclear(options, 'give accepted, refused or unreachable')
  } catch {
    return 'gone'
  }
}

/** Something answered, and knows nothing of the token. Said once: a mistake like this one stays. */
const unclear = ({ pin, logger }: Resolved, what: string): ProbeAnswer => {
  if (!pin.warned) logger.warn(`probe: ${what}`)
  pin.warned = true
  return 'answers'
}

/**
 * Any response means "answers": it is opaque, so a 502 answers too. No token travels, so redirects may be
 * followed, which `no-cors` requires.
 */
const probeHost = async (
  { fetch = globalThis.fetch }: Resolved,
  { origin }: URL,
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  await fetch(origin, {
    method: 'HEAD',
    mode: 'no-cors',
    credentials: 'omit',
    cache: 'no-store',
    signal,
  })
  return 'answers'
}

/** The token goes to the socket's own origin, or a listed one, and nowhere else. */
const mayGo = (options: Resolved, target: URL, { origin }: URL): boolean => {
  try {
    return isListed(checkUrl(target.href, options), origin, options.origins ?? [])
  } catch {
    return false
  }
}

const probeToken = async (
  options: Resolved,
  credential: number,
  probe: string | URL,
  base: URL,
  signal: AbortSignal,
): Promise<ProbeAnswer> => {
  const { fetch = globalThis.fetch } = options
  const target = new URL(probe, base)
  const { origin } = target
  if (!mayGo(options, target, base)) {
    unclear(options, `${origin} is not in origins, or not encrypted`)
    return probeHost(options, base, signal)
  }
  const answer = options.holder.answerOf(credential)
  const headers = new Headers()
  let heard: ((response: Response) => void) | undefined
  if (answer?.kind === 'token')
    headers.set('authorization', `${options.holder.scheme} ${answer.token}`)
  else heard = answer?.cookies?.()?.accompany(target, headers)
  const response = await fetch(target, {
    headers,
    credentials: answer?.kind === 'token' ? 'omit' : 'include',
    // Never followed: that would carry the token elsewhere. An error would look as if nobody had answered.
    redirect: 'manual',
    cache: 'no-store',
    signal,
  })
  heard?.(response)
  const { ok, status } = response
  if (ok) return 'accepted'
  if (status === 401 || status === 403) return 'refused'
  return unclear(
    options,
    `${origin}${target.pathname} answered ${status || 'with a redirect'}, not 2xx or 401`,
  )
}

const httpOf = (url: URL): URL => new URL(url.href.replace(/^ws/, 'http'))
