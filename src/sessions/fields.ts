/** Where in an answer a token stands. */
import { func, isObject, kindOf, type Rule, text } from '../core/check.ts'
import { callUser, isWord } from './safe-error.ts'

/**
 * A name, a path to a wrapped answer (`'data.access_token'`), or a function of the answer. A name that itself holds
 * a dot wins over a path.
 */
export type Field = string | ((answer: Readonly<Record<string, unknown>>) => unknown)

/** Names that tokens have where the one that was looked for is missing. */
const USUAL = ['access_token', 'access', 'accessToken', 'token', 'auth_token', 'ticket']

/** So deep a token is looked for. */
const DEEPEST = 3

/** Whose answer it may be, by the name that the token has there. */
const MAKERS: Readonly<Record<string, string>> = {
  access: ', or use simpleJwt()',
  access_token: ', or use passwordGrant()',
}

/** `sent` are names in the request, `read` are found in the answer. */
export const fieldsBy = (sent: readonly string[], read: readonly string[]): Rule => [
  (value) =>
    isObject(value) &&
    Object.entries(value).every(([key, one]) =>
      read.includes(key)
        ? one === undefined || text[0](one) || func[0](one)
        : sent.includes(key) && (one === undefined || text[0](one)),
    ),
  `an object with the keys ${[...sent, ...read].join(', ')}: names, or functions for what is read`,
]

const own = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined

/** @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: the function of the user failed */
export const readField = async (
  name: string,
  field: Field,
  answer: Readonly<Record<string, unknown>>,
): Promise<unknown> => {
  if (typeof field === 'function') return callUser(`fields.${name}`, () => field(answer))
  return own(answer, field) ?? field.split('.').reduce<unknown>(own, answer)
}

/** The name under which a value is sent that is read from `field`: `'refresh'` of `'data.refresh'`. */
export const nameIn = (field: Field, usual: string): string =>
  typeof field === 'string' ? field.slice(field.lastIndexOf('.') + 1) : usual

/** What an answer without the token lacks, and where it may have it instead. */
export const lacks = (name: string, field: Field, value: unknown, answer: object): string => {
  const found = whereIn(answer, DEEPEST)
  const place = typeof field === 'string' ? field : `fields.${name}()`
  const where = found === undefined ? '' : ` to '${found}'${MAKERS[found] ?? ''}`
  return `answered with ${kindOf(value)} as '${place}': set fields.${name}${where}`
}

/** The path of what has the name of a token. Only words are told of it: names are the server's. */
const whereIn = (value: object, depth: number): string | undefined => {
  const found = USUAL.find((name) => typeof own(value, name) === 'string')
  if (found !== undefined || depth === 1) return found
  for (const [key, part] of Object.entries(value)) {
    const rest =
      isObject(part) && isWord(key) && key.length < 20 ? whereIn(part, depth - 1) : undefined
    if (rest !== undefined) return `${key}.${rest}`
  }
  return undefined
}
