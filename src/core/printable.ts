const isControl = (char: string): boolean =>
  char < ' ' || (char >= '\x7f' && char <= '\x9f') || char === '\u2028' || char === '\u2029'

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * For a terminal: no text of a server moves its cursor, sets its title or ends a line.
 *
 * @param kept control characters that are meant: the line feeds between our own lines
 */
export const printable = (text: string, kept = ''): string =>
  [...text].map((char) => (isControl(char) && !kept.includes(char) ? escaped(char) : char)).join('')
