/** What of a user's data is written as JSON, what as bytes, and what not at all. */

/** `[object Map]`: of any realm, where `instanceof` knows those of one. */
const tagOf = (value: unknown): string => Object.prototype.toString.call(value)

/** Those without a tag on their prototype (a `Date` that came from a `toJSON` is not asked for its own), and imitations. */
const FOREIGN = /^\[object (Error|RegExp|Date|Blob|File|FormData)\]$/
/** Objects of a page that are nothing but fields. */
const FIELDS = /^\[object (Storage|DOMStringMap)\]$/

/**
 * Is this an object of the language or the platform, whose content is not in its fields? JSON writes it as `{}`, or as
 * the fields that a library hung on it. Of any realm, and also where a class extends it: on the prototypes of all of
 * them, and of no ordinary class, the tag cannot be written.
 *
 * @see ECMA-262 §18, Web IDL §3.7.3
 */
const isForeign = (value: object): boolean => {
  const tag = tagOf(value)
  if (ArrayBuffer.isView(value) || value instanceof Error || FOREIGN.test(tag)) return true
  for (let type = Object.getPrototypeOf(value); type; type = Object.getPrototypeOf(type))
    if (Object.getOwnPropertyDescriptor(type, Symbol.toStringTag)?.writable === false)
      return !FIELDS.test(tag)
  return false
}

/**
 * The hot path, and so without an exact answer: `true` for what is worth a closer look. What may have a word of its
 * own is not asked for it again, but put into `said`. A walk costs a tenth of `JSON.stringify`, whose replacer would
 * cost it twice; loops like these, because those of iterators take longer.
 */
const holdsForeign = (value: object, said: unknown[]): boolean => {
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const each: unknown = value[at]
      if (typeof each === 'object' && each !== null && holdsForeign(each, said)) return true
    }
    return false
  }
  const type = Object.getPrototypeOf(value)
  // Common, and its word is known.
  if (type === Date.prototype) return false
  if (type !== Object.prototype && type !== null) {
    if (ArrayBuffer.isView(value)) return true
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
      said.push(value)
      return false
    }
    if (tagOf(value) !== '[object Object]' && isForeign(value)) return true
  }
  const fields = value as Readonly<Record<string, unknown>>
  for (const name in fields) {
    const each = fields[name]
    if (typeof each === 'object') {
      if (each !== null && holdsForeign(each, said)) return true
    } else if (typeof each === 'function') said.push(each)
  }
  return false
}

/** The first thing in `data` that JSON would drop or rewrite: its path, and what it is. */
const offenderIn = (data: unknown, name: string): string | undefined => {
  const paths = new Map<unknown, string>()
  let found: string | undefined
  function look(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
    const holder = paths.get(this)
    const within = Array.isArray(this) ? `[${key}]` : `.${key}`
    const path = holder === undefined ? name : holder + within
    const given = this[key]
    const isObject = typeof value === 'object' && value !== null
    const isLost =
      typeof value === 'bigint' ||
      // Buffers say `{"type":"Buffer"}` of themselves, in Node alone.
      ArrayBuffer.isView(given) ||
      (isObject ? isForeign(value) : holder === undefined && JSON.stringify(value) === undefined)
    const what = ArrayBuffer.isView(given) ? given : value
    if (isLost) found ??= `${path} (${isObject ? tagOf(what).slice(8, -1) : typeof value})`
    if (isObject) paths.set(value, path)
    return found === undefined ? value : undefined
  }
  try {
    JSON.stringify(data, look)
  } catch {
    // A cycle, or what a getter threw: it was thrown before, and is told.
  }
  return found
}

/** How JSON writes what it cannot write, unless there are fields on it, and bytes. */
const LOST = ['{}', '{"0":']

/**
 * JSON for one value, which must have one: `undefined`, functions, and what keeps its content elsewhere (a `Map`, a
 * `Blob`, bytes, an `Error`) would vanish without a word.
 *
 * @param name what the data is called where the error names the place of what has none
 * @throws {TypeError} when there is no JSON for it, or for something in it
 */
export function toJson(data: unknown, name = 'data'): string {
  let json: string | undefined
  let cause: unknown
  try {
    json = JSON.stringify(data)
    const said: unknown[] = []
    const isSure =
      json !== undefined && (typeof data !== 'object' || data === null || !holdsForeign(data, said))
    if (isSure && (said.length === 0 || !LOST.some((trace) => json?.includes(trace)))) return json
  } catch (error) {
    cause = error
  }
  const offender = offenderIn(data, name)
  if (json !== undefined && offender === undefined) return json
  throw new TypeError(
    `there is no JSON for ${offender ?? name}: send plain values, or encode it first (await blob.arrayBuffer(), base64)`,
    { cause },
  )
}

/**
 * What is sent as bytes: a buffer, or what a view shows, of any realm; `undefined` for everything else.
 *
 * @throws {TypeError} for bytes that were transferred to somebody else
 */
export const bytesOf = (data: unknown): ArrayBuffer | undefined => {
  if (!ArrayBuffer.isView(data)) {
    const tag = tagOf(data)
    if (tag !== '[object ArrayBuffer]' && tag !== '[object SharedArrayBuffer]') return undefined
  }
  // Of what only says that it is a buffer there is no view.
  const view = ArrayBuffer.isView(data) ? data : new DataView(data as ArrayBuffer)
  if (view.buffer === data && data instanceof ArrayBuffer) return data
  // Copied: a view is often a window on a pool, and shared memory is about to be written again.
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer
}
