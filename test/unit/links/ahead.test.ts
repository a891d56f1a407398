import { describe, expect, test } from 'vitest'
import { Membership } from '../../../src/core/membership.ts'
import { Ahead } from '../../../src/links/ahead.ts'

const at = (seq: number, { epoch = 'e', state = 'joined' } = {}): Membership =>
  Object.assign(new Membership('lobby', undefined), { epoch, seq, state })

describe('What one of two sockets brings', () => {
  test.each([
    ['the next message', at(3), 4, false],
    ['a message that was seen', at(3), 3, false],
    ['a message after a missing one', at(3), 5, true],
    ['a message of a server that does not count', at(3), undefined, false],
    ['a message of a room whose numbers mean nothing', at(0, { epoch: '' }), 5, false],
    ['a message of nobody', undefined, 5, false],
  ])('%s', (_, membership, seq, isLeft) => {
    expect(new Ahead().leaves(membership, seq)).toBe(isLeft)
  })
})

describe('When there is one socket again', () => {
  test('it is asked for what the other one never brought, once', () => {
    const ahead = new Ahead()
    const [behind, caughtUp, left] = [at(3), at(3), at(3)]
    for (const membership of [behind, caughtUp, left]) ahead.leaves(membership, 5)
    caughtUp.seq = 5
    left.state = 'wanted'
    expect([...ahead.take()]).toEqual([behind])
    expect([...ahead.take()]).toEqual([])
  })

  test('nothing is asked for that was forgotten with both sockets', () => {
    const ahead = new Ahead()
    ahead.leaves(at(3), 5)
    ahead.clear()
    expect([...ahead.take()]).toEqual([])
  })
})
