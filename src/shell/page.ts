interface Page {
  document?: Document
  addEventListener?: Window['addEventListener']
}

/** News from the page: reasons to try again sooner. Silent where there is no page. */
export const watchPage = (nudge: () => void): (() => void) => {
  const page: Page = globalThis
  const { document } = page
  if (document === undefined || page.addEventListener === undefined) return () => {}
  const controller = new AbortController()
  const { signal } = controller
  const visible = () => {
    if (document.visibilityState === 'visible') nudge()
  }
  document.addEventListener('visibilitychange', visible, { signal })
  globalThis.addEventListener('online', nudge, { signal })
  globalThis.addEventListener('pageshow', nudge, { signal })
  return () => controller.abort()
}

/** The page is left, maybe to come back from the cache of whole pages. Silent where there is no page. */
export const watchLeaving = (left: () => void): void => {
  const page: Page = globalThis
  page.addEventListener?.('pagehide', left)
}
