const isOctet = (part: string): boolean =>
  part !== '' && part.length <= 3 && [...part].every((c) => c >= '0' && c <= '9') && +part <= 255

/**
 * Does this host never leave the machine? Takes `URL.hostname`, which the parser has normalised.
 *
 * @see RFC 6761 §6.3 (localhost), RFC 1122 §3.2.1.3 (127.0.0.0/8)
 */
export const isLoopback = (hostname: string): boolean => {
  const host = hostname.toLowerCase().replace(/\.$/, '')
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]') return true
  const octets = host.split('.')
  return octets.length === 4 && octets[0] === '127' && octets.every(isOctet)
}
