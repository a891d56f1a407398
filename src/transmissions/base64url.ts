/**
 * Base64 of the text's UTF-8, without padding (RFC 4648 §4). `btoa` alone throws beyond Latin-1, and
 * `String.fromCharCode(...bytes)` overflows the stack with long tokens.
 */
export function base64(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('=', '')
}

/** The same in the alphabet of URLs (RFC 4648 §5). */
export function base64Url(text: string): string {
  return base64(text).replaceAll('+', '-').replaceAll('/', '_')
}
