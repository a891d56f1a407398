interface Page {
  document?: Document
  addEventListener?: Window['addEventListener']
}

/**
 * News from the page, or to a worker of one: reasons to try again sooner, and to look whether a link is still alive.
 * `reroute`: it was offline, so what is open was opened on another network. Silent where there is no page.
 */
export const watchPage = (tell: (news: 'nudge' | 'reroute') => void): (() => void) => {
  const { document, addEventListener }: Page = globalThis
  const controller = new AbortController()
  const options = { signal: controller.signal }
  let wasOffline = false
  const nudge = () => tell('nudge')
  document?.addEventListener?.(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') nudge()
    },
    options,
  )
  addEventListener?.(
    'offline',
    () => {
      wasOffline = true
    },
    options,
  )
  addEventListener?.(
    'online',
    () => {
      tell(wasOffline ? 'reroute' : 'nudge')
      wasOffline = false
    },
    options,
  )
  addEventListener?.('pageshow', nudge, options)
  return () => controller.abort()
}

/** The page is left, maybe to come back from the cache of whole pages. Silent where there is no page. */
export const watchLeaving = (left: () => void): void => {
  const page: Page = globalThis
  page.addEventListener?.('pagehide', left)
}
