/**
 * Base64 of the text's UTF-8, without padding (RFC 4648 §4). `btoa` alone throws beyond Latin-1, and some runtimes have
 * no `TextEncoder`.
 *
 * @throws {URIError} for half a surrogate pair
 */
export function base64(text: string): string {
  return btoa(unescape(encodeURIComponent(text))).replaceAll('=', '')
}

/** The same in the alphabet of URLs (RFC 4648 §5). */
export function base64Url(text: string): string {
  return base64(text).replaceAll('+', '-').replaceAll('/', '_')
}
