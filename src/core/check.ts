/** Checks of what users pass. Values are never printed: one of them may be a token in the wrong place. */

import { LONGEST_TIMER_MS } from './delays.ts'

/** Whether a value is right, and in words what would be. */
export type Rule = readonly [isRight: (value: unknown) => boolean, wanted: string]

export const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return `${value}`
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Ids, sequence numbers and instants: beyond 2^53 neighbours would be equal. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

export const hasMethods = (value: unknown, ...names: string[]): boolean =>
  isObject(value) && names.every((name) => typeof value[name] === 'function')

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

export const text: Rule = [isText, 'a non-empty string']
export const url: Rule = [(value) => isText(value) || value instanceof URL, 'a URL']
export const flag: Rule = [(value) => typeof value === 'boolean', 'true or false']
export const func: Rule = [(value) => typeof value === 'function', 'a function']
export const object: Rule = [isObject, 'an object']
export const texts: Rule = [
  (value) => Array.isArray(value) && value.every(isText),
  'an array of strings',
]

/**
 * What names of methods, headers and schemes are made of.
 *
 * @see RFC 9110 §5.6.2
 */
export const isTokenChar = (char: string): boolean =>
  char > ' ' && char < '\x7f' && !'"(),/:;<=>?@[\\]{}'.includes(char)

export const word: Rule = [
  (value) => isText(value) && [...`${value}`].every(isTokenChar),
  'one word of letters, digits, - and _',
]

export const numberFrom = (low: number, high: number): Rule => [
  (value) => typeof value === 'number' && value >= low && value <= high,
  `a number from ${low} to ${high}`,
]

export const duration: Rule = /* @__PURE__ */ numberFrom(1, LONGEST_TIMER_MS)

export const words = (...names: string[]): Rule => [
  // A wrong type is no word either.
  (value) => typeof value === 'string' && names.includes(value),
  names.map((name) => `'${name}'`).join(' or '),
]

/** An object with these keys only, each a non-empty string. */
export const textsBy = (...names: string[]): Rule => [
  (value) =>
    isObject(value) &&
    Object.entries(value).every(
      ([key, item]) => names.includes(key) && (item === undefined || isText(item)),
    ),
  `an object of strings with the keys ${names.join(', ')}`,
]

export const either = (...rules: Rule[]): Rule => [
  (value) => rules.some(([isRight]) => isRight(value)),
  rules.map(([, wanted]) => wanted).join(' or '),
]

/** Whoever has changed the prototype of all objects has given no option. What is made by a class stays what it is. */
export const own = <Given extends object>(given?: Given): Given => {
  const isMade = given && Object.getPrototypeOf(Object.getPrototypeOf(given) ?? given)
  return isMade ? given : Object.assign(Object.create(null), given)
}

/**
 * Every option must be known and right; the `required` ones must be there.
 *
 * @returns them, and nothing else
 * @throws {TypeError} that names the option, what came and what is wanted; `RangeError` for a number out of range
 */
export const check = <Given>(
  maker: string,
  given: Given,
  rules: Readonly<Record<string, Rule>>,
  required: readonly string[] = [],
): Given => {
  if (!isObject(given)) throw new TypeError(`${maker} takes an object, not ${kindOf(given)}`)
  const options = own(given)
  for (const name of Object.keys(options))
    if (!Object.hasOwn(rules, name))
      throw new TypeError(
        `${maker} has no option '${name}'; it has ${Object.keys(rules).join(', ')}`,
      )
  for (const [name, [isRight, wanted]] of Object.entries(rules)) {
    const value = options[name]
    if (value === undefined ? !required.includes(name) : isRight(value)) continue
    const what = `${maker}: ${name} must be ${wanted}`
    if (typeof value === 'number' && wanted.includes('number'))
      throw new RangeError(`${what}; it is out of that range`)
    throw new TypeError(`${what}, not ${kindOf(value)}`)
  }
  return options
}
