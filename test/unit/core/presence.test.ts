import { describe, expect, it } from 'vitest'
import { Presence } from '../../../src/core/presence.ts'

const entry = (user: string, clientId = `${user}1`, data: object = {}) => ({ user, clientId, data })
const usersOf = (members: readonly { user: string }[]) => members.map(({ user }) => user)
const namesOf = (change: ReturnType<Presence['apply']>) =>
  typeof change === 'string'
    ? change
    : [usersOf(change.joined), usersOf(change.left), usersOf(change.updated)]

const met = (...entries: ReturnType<typeof entry>[]) => {
  const presence = new Presence()
  presence.reset(7, entries)
  return presence
}

describe('presence', () => {
  it('tells the whole list as those who joined', () => {
    const presence = new Presence()
    expect(namesOf(presence.reset(7, [entry('ann'), entry('bob')]))).toEqual([
      ['ann', 'bob'],
      [],
      [],
    ])
    expect(presence.members).toEqual([
      { user: 'ann', clients: [{ clientId: 'ann1', data: {} }] },
      { user: 'bob', clients: [{ clientId: 'bob1', data: {} }] },
    ])
  })

  it.each([
    ['somebody comes', [entry('bob')], [], [['bob'], [], []]],
    ['somebody goes', [], [entry('ann')], [[], ['ann'], []]],
    ['somebody shows something else', [entry('ann', 'ann1', { mood: 1 })], [], [[], [], ['ann']]],
    ['a second socket of the same', [entry('ann', 'ann2')], [], [[], [], ['ann']]],
    ['nobody knows who left', [], [entry('zoe')], [[], [], []]],
    ['one socket replaces another', [entry('ann', 'ann2')], [entry('ann')], [[], [], ['ann']]],
  ])('%s', (_, joins, leaves, change) => {
    expect(namesOf(met(entry('ann')).apply(8, joins, leaves))).toEqual(change)
  })

  it('keeps somebody whose other socket stays', () => {
    const presence = met(entry('ann'), entry('ann', 'ann2'))
    expect(namesOf(presence.apply(8, [], [entry('ann')]))).toEqual([[], [], ['ann']])
    expect(namesOf(presence.apply(9, [], [entry('ann', 'ann2')]))).toEqual([[], ['ann'], []])
    expect(presence.members).toEqual([])
  })

  it.each([
    [7, 'known'],
    [3, 'known'],
    [9, 'hole'],
  ])('at version 7 takes a change to version %d as %s', (version, is) => {
    const presence = met(entry('ann'))
    expect(presence.apply(version, [entry('bob')], [])).toBe(is)
    expect(usersOf(presence.members)).toEqual(['ann'])
  })

  it('has a hole before the first list', () => {
    expect(new Presence().apply(1, [], [])).toBe('hole')
  })

  it('tells a later list as the difference', () => {
    const presence = met(entry('ann'), entry('bob'), entry('cat'))
    const change = presence.reset(12, [entry('bob', 'bob1', { a: 1 }), entry('cat'), entry('dan')])
    expect(namesOf(change)).toEqual([['dan'], ['ann'], ['bob']])
  })

  it.each(['__proto__', 'constructor', ''])('takes %j for a name like any other', (user) => {
    expect(usersOf(met(entry(user)).members)).toEqual([user])
  })
})
