/** News from the page: reasons to try again sooner. Silent where there is no page. */
export const watchPage = (nudge: () => void): (() => void) => {
  const page = globalThis as { document?: Document; addEventListener?: Window['addEventListener'] }
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
