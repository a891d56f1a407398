/** A program may hold two copies of the package: one by `import`, one by `require`. */
import { describe, expect, it } from 'vitest'
import * as ours from '../../src/errors.ts'

// A query makes another copy of the module.
const other: typeof ours = await import('../../src/errors.ts?copy' as string)

describe('errors of another copy', () => {
  it.each([
    [ours.TokenRefusedError, new other.TokenRefusedError()],
    [ours.TokenUnavailableError, new other.TokenUnavailableError('x')],
    [ours.TokenInvalidError, new other.TokenInvalidError('x')],
    [ours.RoomError, new other.RoomError('x', 'a', 'no')],
  ] as const)('%s is known, and no other', (type, error) => {
    expect(other.TokenRefusedError).not.toBe(ours.TokenRefusedError)
    expect(ours.isAuthedSocketError(error)).toBe(true)
    expect(error).toBeInstanceOf(type)
    expect(error).toBeInstanceOf(ours.AuthedSocketError)
    expect(error).not.toBeInstanceOf(ours.NotConnectedError)
  })

  it('a class of the user that extends one is its own', () => {
    class Mine extends ours.TokenRefusedError {}
    expect(new Mine()).toBeInstanceOf(ours.TokenRefusedError)
    expect(new Mine()).toBeInstanceOf(Mine)
    expect(new Mine()).toBeInstanceOf(other.TokenRefusedError)
    expect(new ours.TokenRefusedError()).not.toBeInstanceOf(Mine)
  })

  it.each([undefined, null, 'x', {}, new Error('x'), { code: 'TOKEN_REFUSED' }])(
    '%j is none',
    (value) => {
      expect(ours.isAuthedSocketError(value)).toBe(false)
      expect(value instanceof ours.TokenRefusedError).toBe(false)
    },
  )

  it('shows nothing of how it is known', () => {
    expect(Reflect.ownKeys({ ...new ours.TokenInvalidError('x') })).toEqual(['name', 'code'])
  })
})
