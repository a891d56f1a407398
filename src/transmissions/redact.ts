const SCHEMES = ['ws:', 'wss:', 'http:', 'https:']
/** Stands for the page's own origin, so that relative URLs can be read where there is no page. */
const NOWHERE = 'ws://relative.invalid'

/**
 * A URL to show in errors and logs: origin, path and the names of query parameters. User, password, every
 * value and the fragment are gone; so is a parameter without `=`, which may be a bare token.
 */
export function redactUrl(url: URL | string): string {
  let parsed: URL
  try {
    parsed = new URL(url, NOWHERE)
  } catch {
    return '(invalid URL)'
  }
  // In `user:password@host/path` the user is the scheme, and all else would be shown as a path.
  if (!SCHEMES.includes(parsed.protocol)) return '(invalid URL)'
  const origin = parsed.origin === NOWHERE ? '' : `${parsed.protocol}//${parsed.host}`
  return origin + parsed.pathname + redactQuery(parsed.search)
}

const redactQuery = (search: string): string =>
  search
    .split('&')
    .map((part, index) => {
      const equals = part.indexOf('=')
      if (equals >= 0) return `${part.slice(0, equals)}=…`
      if (index > 0) return '…'
      return part.length > 1 ? '?…' : ''
    })
    .join('&')
