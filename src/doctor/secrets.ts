/** The last look at a report: whatever holds a part of a secret is replaced. */

/** A part so long is no coincidence. */
const PART = 12
/** A shorter secret is a word, and words stand in every text. */
const SHORTEST = 8

const partsOf = (secret: string): string[] => {
  if (secret.length < SHORTEST) return []
  if (secret.length <= PART) return [secret]
  return Array.from({ length: secret.length - PART + 1 }, (_, at) => secret.slice(at, at + PART))
}

/** By substrings, not by a pattern: `RegExp.$_` would keep what it looked at. */
export const scrubber = (secrets: readonly string[]): ((text: string) => string) => {
  const parts = new Set(
    secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]).flatMap(partsOf),
  )
  const isClean = (text: string): boolean => {
    for (let at = 0; at < text.length; at++)
      for (let length = SHORTEST; length <= PART; length++)
        if (parts.has(text.slice(at, at + length))) return false
    return true
  }
  return (text) => (isClean(text) ? text : '(hidden: it held a part of the token)')
}
