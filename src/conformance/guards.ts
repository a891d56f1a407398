/**
 * Guards for values of JSON: whether one is right and, where it is not, which member is wrong and what it must
 * be. Written by hand, because the package ships no schema validator; a test holds them to the schema.
 */
import { isCount, isObject } from '../core/check.ts'

export interface Guard<T> {
  /** What is right, to stand behind "must be". */
  readonly wanted: string
  /** @returns what is wrong, beginning with the path; `undefined` when the value is right */
  problem(value: unknown, path: string): string | undefined
  /** Never there: it ties the guard to its type. */
  readonly type?: T
}
export type Value<G> = G extends Guard<infer T> ? T : never

type Guards = Readonly<Record<string, Guard<unknown>>>
type Values<G extends Guards> = { readonly [Name in keyof G]: Value<G[Name]> }
type MaybeValues<G extends Guards> = { readonly [Name in keyof G]?: Value<G[Name]> }

export interface RecordGuard<R extends Guards = Guards, O extends Guards = Guards>
  extends Guard<Values<R> & MaybeValues<O>> {
  readonly required: R
  readonly optional: O
}

const simple = <T>(wanted: string, isRight: (value: unknown) => boolean): Guard<T> => ({
  wanted,
  problem: (value, path) => (isRight(value) ? undefined : `${path} must be ${wanted}`),
})

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length

const ROOM_BYTES = 256
const CLIENT_ID = /^[0-9a-f]{32}$/

export const anything: Guard<unknown> = simple('any JSON value', () => true)
export const text: Guard<string> = simple('a string', (value) => typeof value === 'string')
export const filled: Guard<string> = simple(
  'a string that is not empty',
  (value) => typeof value === 'string' && value !== '',
)
export const flag: Guard<boolean> = simple('a boolean', (value) => typeof value === 'boolean')
/** Ids, sequence numbers and instants: beyond 2^53 neighbours would be equal. */
export const count: Guard<number> = simple('a whole number from 0 to 2^53 - 1', isCount)
export const countFrom1: Guard<number> = simple(
  'a whole number from 1 to 2^53 - 1',
  (value) => isCount(value) && value !== 0,
)
export const size: Guard<number> = simple(
  'a whole number from 1',
  (value) => Number.isInteger(value) && Number(value) >= 1,
)
export const room: Guard<string> = simple(
  `a string of 1 to ${ROOM_BYTES} bytes of UTF-8`,
  (value) => typeof value === 'string' && value !== '' && bytesOf(value) <= ROOM_BYTES,
)
export const clientId: Guard<string> = simple(
  '32 lower-case hex digits',
  (value) => typeof value === 'string' && CLIENT_ID.test(value),
)
export const object: Guard<Readonly<Record<string, unknown>>> = simple('an object', isObject)

export const only = <const T>(wanted: T): Guard<T> =>
  simple(JSON.stringify(wanted), (value) => value === wanted)

export const oneOf = <const T extends string>(...words: readonly T[]): Guard<T> =>
  simple(`one of ${words.join(', ')}`, (value) => (words as readonly unknown[]).includes(value))

export const listOf = <T>(item: Guard<T>, least: 0 | 1 = 0): Guard<readonly T[]> => ({
  wanted: 'a list',
  problem(value, path) {
    if (!Array.isArray(value)) return `${path} must be a list`
    if (value.length < least) return `${path} must not be empty`
    for (const [index, each] of value.entries()) {
      const problem = item.problem(each, `${path}[${index}]`)
      if (problem !== undefined) return problem
    }
    return undefined
  },
})

export const distinct = (list: Guard<readonly string[]>): Guard<readonly string[]> => ({
  wanted: 'a list without repetition',
  problem(value, path) {
    const problem = list.problem(value, path)
    if (problem !== undefined) return problem
    const items = value as readonly string[]
    return new Set(items).size === items.length ? undefined : `${path} must not repeat an item`
  },
})

/** Members that are not named are allowed: later versions add some. */
export const record = <R extends Guards, O extends Guards>(
  required: R,
  optional: O,
): RecordGuard<R, O> => ({
  wanted: 'an object',
  required,
  optional,
  problem(value, path) {
    if (!isObject(value)) return `${path} must be an object`
    for (const [name, guard] of Object.entries(required)) {
      // An own member: `__proto__` of somebody's frame must not lend one.
      if (!Object.hasOwn(value, name)) return `${path}.${name} is missing`
      const problem = guard.problem(value[name], `${path}.${name}`)
      if (problem !== undefined) return problem
    }
    for (const [name, guard] of Object.entries(optional)) {
      if (!Object.hasOwn(value, name)) continue
      const problem = guard.problem(value[name], `${path}.${name}`)
      if (problem !== undefined) return `${problem}, or absent`
    }
    return undefined
  },
})
