/** Looks for tokens where none may be: in everything that a user, a log or an error tracker can see. */

/** A part of a signature that is so long is no coincidence. */
const PART = 12

/** Every form of a token that gives it away. */
export function formsOf(token: string): ReadonlySet<string> {
  const forms = new Set([token, encodeURIComponent(token), percentEncoded(token)])
  for (const shifted of base64Forms(token)) forms.add(shifted)
  const signature = token.split('.').at(-1) ?? token
  for (let at = 0; at + PART <= signature.length; at += 1) forms.add(signature.slice(at, at + PART))
  return forms
}

function percentEncoded(text: string): string {
  return [...text].map((char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
}

/** Within a longer text base64 falls on one of three alignments; the ends are cut, since they mix with it. */
function base64Forms(token: string): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = btoa('x'.repeat(shift) + token)
    const inside = text.slice(shift === 0 ? 0 : 4, Math.floor((shift + token.length) / 3) * 4)
    return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

export interface Sighting {
  /** Where it was seen, for the person who has to mend it. */
  readonly where: string
  readonly text: string
}

/** @returns the places in which any form of any of the tokens stands */
export function findLeaks(tokens: readonly string[], sightings: readonly Sighting[]): string[] {
  const forms = tokens.flatMap((token) => [...formsOf(token)])
  return sightings
    .filter(({ text }) => forms.some((form) => text.includes(form)))
    .map(({ where }) => where)
}

/**
 * Every string that can be reached from a value by own and inherited properties, getters called, and in
 * maps, sets and symbols. Functions are looked into as well: a closure hides, a property does not.
 */
export function stringsIn(root: unknown, name: string): Sighting[] {
  const found: Sighting[] = []
  const seen = new Set<unknown>()
  const visit = (value: unknown, where: string, depth: number): void => {
    if (typeof value === 'string') found.push({ where, text: value })
    if (typeof value === 'symbol') found.push({ where, text: String(value.description) })
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return
    if (seen.has(value) || depth > 12 || isPlatform(value)) return
    seen.add(value)
    if (value instanceof Map || value instanceof Set)
      for (const [key, each] of value.entries()) {
        visit(key, `${where}<key>`, depth + 1)
        visit(each, `${where}<entry>`, depth + 1)
      }
    for (const key of keysOf(value)) {
      found.push({ where: `${where} (name of a property)`, text: String(key) })
      visit(readOf(value, key), `${where}.${String(key)}`, depth + 1)
    }
  }
  visit(root, name, 0)
  return found
}

function keysOf(value: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>()
  for (
    let at: object | null = value;
    at !== null && !isPlatform(at);
    at = Object.getPrototypeOf(at)
  )
    for (const key of Reflect.ownKeys(at)) keys.add(key)
  return keys
}

function readOf(value: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(value, key)
  } catch {
    // A getter that wants another `this`, or `caller` of a strict function.
    return undefined
  }
}

/** The platform's own prototypes and constructors lead everywhere, and nowhere of ours. */
const PLATFORM = new Set<unknown>([
  ...[Object, Function, Array, Error, Promise, Map, Set, Date, RegExp, String, Number, Boolean],
  globalThis,
])
function isPlatform(value: object): boolean {
  if (PLATFORM.has(value)) return true
  const maker = (value as { constructor?: { prototype?: unknown } }).constructor
  return PLATFORM.has(maker) && maker?.prototype === value
}
