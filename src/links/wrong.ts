/** What a function of the user gave, or threw: in words that hold nothing of it. */
import { kindOf } from '../core/check.ts'
import { nameOf } from '../sessions/safe-error.ts'

class WrongReturn extends TypeError {}

/**
 * @param name of the function
 * @param wanted instead
 */
export const wrong = (name: string, given: unknown, wanted: string): TypeError => {
  // Nobody waits for it, and its rejection must not end a process.
  Promise.resolve(given).catch(() => {})
  const what = given instanceof Promise ? 'a promise' : kindOf(given)
  return new WrongReturn(`${name} gave ${what}: give ${wanted}`)
}

/** @throws {TypeError} nothing, or what comes later, where something is needed now */
export const there = <Given>(name: string, given: Given, wanted: string): Given => {
  if (given === undefined || given instanceof Promise) throw wrong(name, given, wanted)
  return given
}

/** What it threw may quote a frame, or hold a token: the message has its name alone. */
export const fault = (name: string, cause: unknown): TypeError =>
  cause instanceof WrongReturn ? cause : new TypeError(`${name} threw ${nameOf(cause)}`, { cause })
