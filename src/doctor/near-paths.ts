/** Paths that are often meant: with and without `/ws`, and with the other slash. Pure. */

export const otherSlash = (path: string): string =>
  path.endsWith('/') ? path.slice(0, -1) || '/' : `${path}/`

export const nearPaths = (path: string): readonly string[] => {
  const turned = path.startsWith('/ws/') ? path.slice(3) : `/ws${path}`
  const near = [turned, otherSlash(turned)]
  // Route prefixes that a router or a proxy adds.
  if (path.startsWith('/api/')) near.push(path.slice(4))
  else near.push(`/api${path}`)
  return near.filter((each) => each !== path && each.length > 1)
}
