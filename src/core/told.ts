/** Text from outside that may be shown: bounded, visible, and without what was sent or looks like a secret. */

const LONGEST_READ = 2_000
const HIDDEN = '…'

// No RegExp in this file: `RegExp.$_` would keep the text, and what is in it.

const isAscii = (char: string): boolean => char > ' ' && char < '\x7f'

/** Eight characters in a row are enough to know a token by. */
const isPartOf = (secret: string, word: string): boolean => {
  if (word === secret) return word !== ''
  for (let i = 0; i + 8 <= word.length; i++) if (secret.includes(word.slice(i, i + 8))) return true
  return false
}

/** A JWT, an id, a hash: long, and no word of a language. */
const isRandom = (word: string): boolean =>
  word.includes('eyJ') ||
  (word.length >= 20 && [...word].some((char) => char >= '0' && char <= '9'))

/** Languages without spaces have words of any length, so only what is ASCII is looked at. */
const hideWords = (text: string, isSecret: (word: string) => boolean): string => {
  let shown = ''
  let word = ''
  for (const char of `${text} `) {
    if (isAscii(char)) word += char
    else {
      shown += (isSecret(word) ? HIDDEN : word) + char
      word = ''
    }
  }
  return shown.trim()
}

/**
 * @param secrets - what was sent: none of it comes back, but for words of less than four characters within others
 * @param limit - in characters
 */
export const told = (text: string, secrets: readonly string[], limit: number): string => {
  let rest = [...text.slice(0, LONGEST_READ)]
    .map((char) => (char === '\n' ? ' ' : char))
    .filter((char) => char >= ' ' && !(char >= '\x7f' && char < '\xa0'))
    .join('')
  for (const secret of secrets) if (secret.length > 3) rest = rest.split(secret).join(HIDDEN)
  const shown = [
    ...hideWords(rest, (word) => isRandom(word) || secrets.some((one) => isPartOf(one, word))),
  ]
  return shown.length > limit ? `${shown.slice(0, limit - 1).join('')}${HIDDEN}` : shown.join('')
}
