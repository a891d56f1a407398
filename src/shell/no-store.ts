/** Never from a cache, where that can be said: Workers with an old compatibility date throw for it. */
export const noStore = (): RequestInit => {
  const cache = 'no-store'
  try {
    new Request('http://a', { cache })
    return { cache }
  } catch {
    return {}
  }
}
