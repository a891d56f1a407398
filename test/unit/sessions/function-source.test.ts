import { expect, it, vi } from 'vitest'
import { TokenInvalidError, TokenRefusedError, TokenUnavailableError } from '../../../src/errors.ts'
import { type AuthFunction, functionSource } from '../../../src/sessions/function-source.ts'
import { ask, expectNoSecret, rejection } from './support.ts'

const SECRET = 'canary-4711'

/** What a user's function may do at run time, whatever its type says. */
const doing = (work: () => unknown) => functionSource(work as AuthFunction)

it.each([
  ['a string', 'abc', { kind: 'token', token: 'abc' }],
  ['null', null, { kind: 'signed-out' }],
  ['an object', { token: 'abc' }, { kind: 'token', token: 'abc' }],
  ['a lifetime', { token: 'a', expiresInMs: 5 }, { kind: 'token', token: 'a', expiresInMs: 5 }],
  ['an expiry', { token: 'a', expiresAt: 2e12 }, { kind: 'token', token: 'a', expiresAt: 2e12 }],
])('%s, sync and async', async (_name, answer, expected) => {
  expect(await ask(doing(() => answer))).toEqual(expected)
  expect(await ask(doing(async () => answer))).toEqual(expected)
})

it.each([
  ['undefined', undefined],
  ['an empty string', ''],
  ['a number', 5],
  ['an array', [SECRET]],
  ['a foreign object', { access_token: SECRET }],
  ['an empty token', { token: '' }],
  ['a token that is no string', { token: { SECRET } }],
  ['a lifetime as text', { token: SECRET, expiresInMs: '60' }],
  ['NaN', { token: SECRET, expiresInMs: Number.NaN }],
  ['an infinite expiry', { token: SECRET, expiresAt: Number.POSITIVE_INFINITY }],
  ['an expiry in seconds', { token: SECRET, expiresAt: 1_900_000_000 }],
])('%s is invalid', async (_name, answer) => {
  const error = await rejection(ask(doing(() => answer)))
  expect(error).toBeInstanceOf(TokenInvalidError)
  expectNoSecret(error, SECRET)
})

const foreign = Object.assign(new Error(SECRET, { cause: SECRET }), { config: { SECRET } })

it.each([
  ['an error', foreign],
  ['undefined', undefined],
  ['a string', SECRET],
  ['an odd name', Object.assign(new Error('x'), { name: `a-${SECRET}` })],
  ['our error around a foreign one', new TokenUnavailableError('later', { cause: foreign })],
])('%s thrown, sync or async, is unavailable', async (_name, thrown) => {
  const throwing = () => {
    throw thrown
  }
  for (const source of [doing(throwing), doing(async () => throwing())]) {
    const error = await rejection(ask(source))
    expect(error).toBeInstanceOf(TokenUnavailableError)
    expectNoSecret(error, SECRET)
  }
})

it('TokenRefusedError passes, without a foreign cause', async () => {
  const own = new TokenRefusedError('bye')
  const around = new TokenRefusedError('bye', { cause: foreign })
  const throwing = (error: Error) =>
    doing(() => {
      throw error
    })
  expect(await rejection(ask(throwing(own)))).toBe(own)
  const error = await rejection(ask(throwing(around)))
  expect(error).toBeInstanceOf(TokenRefusedError)
  expect(error.message).toBe('bye')
  expectNoSecret(error, SECRET)
})

it('keeps the advice of TokenUnavailableError', async () => {
  const source = doing(() => {
    throw new TokenUnavailableError('later', { cause: foreign, retryAfterMs: 9 })
  })
  expect(await rejection(ask(source))).toMatchObject({ message: 'later', retryAfterMs: 9 })
})

it('isRefused decides, and may itself throw', async () => {
  const auth = () => {
    throw foreign
  }
  const refused = functionSource(auth, (error) => error === foreign)
  expect(await rejection(ask(refused))).toBeInstanceOf(TokenRefusedError)
  const not = functionSource(auth, () => false)
  expect(await rejection(ask(not))).toBeInstanceOf(TokenUnavailableError)
  const broken = functionSource(auth, () => {
    throw foreign
  })
  const error = await rejection(ask(broken))
  expect(error).toBeInstanceOf(TokenUnavailableError)
  expectNoSecret(error, SECRET)
})

it('gets reason, fresh and signal, and ends with the signal', async () => {
  const auth = vi.fn(() => new Promise<string>(() => {}))
  const { signal, abort } = (() => {
    const controller = new AbortController()
    return { signal: controller.signal, abort: () => controller.abort(new Error('enough')) }
  })()
  const asked = functionSource(auth).request({ reason: 'rejected', fresh: true, signal })
  abort()
  await expect(asked).rejects.toThrow('enough')
  expect(auth).toHaveBeenCalledWith({ reason: 'rejected', fresh: true, signal })
})
