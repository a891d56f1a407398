/** The header `Cookie`: pairs of a name and a value, with a semicolon between them (RFC 6265 §4.2.1). */

export const pairsOf = (header: string): string[] =>
  header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')

export const nameOfPair = (pair: string): string => pair.split('=', 1).join().trim()

/** Both in one; of two with one name the one of `own` is sent. */
export const mergeCookies = (own: string, before: string): string => {
  const added = pairsOf(own)
  const names = added.map(nameOfPair)
  return [...pairsOf(before).filter((pair) => !names.includes(nameOfPair(pair))), ...added].join(
    '; ',
  )
}
