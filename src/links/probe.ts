/** Asks what can be learned while a link waits: whether the host answers, or whether it takes the token. */
import { HOST_EVERY_MS } from '../core/delays.ts'
import type { LinkEvent, Memory } from '../core/link-state.ts'
import type { Resolved, UrlContext } from '../options.ts'
import type { HostAnswer } from '../sessions/inquiry.ts'
import { noStore } from '../shell/no-store.ts'
import { moment } from '../shell/timers.ts'
import { checkUrl, isListed, urlOf } from './handshake.ts'

/**
 * Has the host asked where a refresh could follow, and for the first error of a link that never worked. The option
 * `probe` is asked in any case: there is no other way to learn of a cookie that is refused.
 */
export const probe = (
  credential: number,
  { suspectSince, failures, everConnected }: Memory,
  where: string | undefined,
  options: Resolved,
  context: Omit<UrlContext, 'attempt'>,
  report: (event: LinkEvent) => void,
): (() => void) => {
  const { holder, probe: asksToken } = options
  let isHeard = true
  // A moment later: then the session has heard that this link waits.
  Promise.resolve()
    .then(() => {
      const now = Date.now()
      return holder.host.ask(
        asksToken ? `${credential}` : `${where?.split('/')[2]}`,
        [suspectSince ?? now, now],
        HOST_EVERY_MS * options.scale,
        () =>
          !!asksToken ||
          (failures === 1 && !everConnected) ||
          (suspectSince !== undefined && holder.mayDoubt(now - suspectSince)),
        (signal) => probeAnswer(options, credential, context, signal),
      )
    })
    .then((answer) => {
      if (!answer) return
      // A no counts once. Unheard it is kept for whoever waits next.
      if (answer === 'refused' && isHeard) holder.host.heard()
      report({ type: 'probed', probe: answer, ...moment() })
    })
  return () => {
    isHeard = false
  }
}

/** Never rejects. */
export const probeAnswer = async (
  options: Resolved,
  credential: number,
  context: Omit<UrlContext, 'attempt'>,
  signal: AbortSignal,
): Promise<HostAnswer> => {
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

/** A mistake like these stays. */
export const warnOnce = (
  { pin: { warned }, logger }: Resolved,
  about: 'probe' | 'headers',
  what: string,
): void => {
  if (!warned.has(about)) logger.warn(what)
  warned.add(about)
}

/** Something answered, and knows nothing of the token. */
const unclear = (options: Resolved, what: string): HostAnswer => {
  warnOnce(options, 'probe', `probe: ${what}`)
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
): Promise<HostAnswer> => {
  await fetch(origin, {
    method: 'HEAD',
    mode: 'no-cors',
    credentials: 'omit',
    ...noStore(),
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
): Promise<HostAnswer> => {
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
    ...noStore(),
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
