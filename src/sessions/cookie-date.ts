/** The dates of `Expires`, as servers write them: with spaces or hyphens, two digits or four, as asctime does. */

/** All but letters, digits and colons. */
const DELIMITERS = /[\t -/;-@[-`{-~]+/
/** A token is of the first kind that is still missing. */
const KINDS = [
  /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)/,
  /^(\d{1,2})(?:\D|$)/,
  /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i,
  /^(\d{2,4})(?:\D|$)/,
]
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec'

/**
 * @returns epoch ms, or `undefined` for what is no date
 * @see RFC 6265 §5.1.1; a time zone is not looked at
 */
export const readCookieDate = (text: string): number | undefined => {
  const found: (readonly string[] | undefined)[] = KINDS.map(() => undefined)
  for (const token of text.split(DELIMITERS)) {
    const kind = KINDS.findIndex((pattern, at) => !found[at] && pattern.test(token))
    const match = KINDS[kind]?.exec(token)
    if (match) found[kind] = match.slice(1)
  }
  const [time, day, month, year] = found
  if (!time || !day || !month || !year) return undefined
  const [hours = 24, minutes = 60, seconds = 60] = time.map(Number)
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  const at = MONTHS.indexOf(`${month}`.toLowerCase()) / 3
  return instantOf(century(Number(year)), at, Number(day), hours * 3_600 + minutes * 60 + seconds)
}

const century = (year: number): number => {
  if (year > 99) return year
  return year < 70 ? year + 2000 : year + 1900
}

const instantOf = (year: number, month: number, day: number, s: number): number | undefined => {
  const midnight = Date.UTC(year, month, day)
  // The 31st of February would be a day in March.
  const exists = year > 1600 && new Date(midnight).getUTCDate() === day
  return exists ? midnight + s * 1_000 : undefined
}
