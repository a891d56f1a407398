/** How a check says what it found. */

export class CheckFailure extends Error {
  /** Instead of the check's own, where more is known. */
  readonly fix: string | undefined

  constructor(detail: string, fix?: string) {
    super(detail)
    this.fix = fix
  }
}

/** Thrown by a check that finds only on its way that it cannot judge. */
export class NotChecked extends Error {}

/** @throws {CheckFailure} */
export function fail(detail: string, fix?: string): never {
  throw new CheckFailure(detail, fix)
}

/** @throws {CheckFailure} */
export function ensure(isSo: boolean, detail: string, fix?: string): asserts isSo {
  if (!isSo) fail(detail, fix)
}

const MAX_SHOWN = 160

/** A value as JSON, short enough for a report. */
export function show(value: unknown): string {
  const json = jsonOf(value)
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // Parsed without recursion, and nested too deep to be written.
    return '(nested too deep to show)'
  }
}

/** Whether two values of JSON are the same, however their members are ordered. */
export const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
