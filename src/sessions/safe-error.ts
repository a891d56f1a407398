import { type AnyAuthedSocketError, isAuthedSocketError, TokenUnavailableError } from '../errors.ts'

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz_$'

/** Letters, digits, `_` and `$`, at most 40: a name. No RegExp: `RegExp.$_` keeps its input. */
export const isWord = (value: unknown): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= 40 &&
  [...value.toLowerCase()].every((letter) => LETTERS.includes(letter))

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/**
 * What may be told of an error from outside: its name, and the code of the system call (`ECONNREFUSED`).
 * Its text and its properties may hold the token (axios errors carry the whole request).
 */
export const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return typeof error
  const code = property(error.cause, 'code')
  const name = isWord(error.name) ? error.name : 'Error'
  return isWord(code) ? `${name} ${code}` : name
}

/** One of our errors whose causes are ours as well: nothing from outside can be reached from it. */
export const isOurs = (error: unknown): error is AnyAuthedSocketError =>
  isAuthedSocketError(error) && (error.cause === undefined || isOurs(error.cause))

/** `{ cause }` where the cause is safe to show, else nothing. */
export const causeOf = (error: unknown): { cause?: AnyAuthedSocketError } =>
  isOurs(error) ? { cause: error } : {}

/** Runs a function of the user's: what it throws may hold a secret, so only its name is told. */
export const callUser = async <T>(what: string, call: () => T | PromiseLike<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    throw isOurs(error) ? error : new TokenUnavailableError(`${what} threw ${nameOf(error)}`)
  }
}
