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

  it.each([100, 5_000, 100_000])(
    'takes what somebody shows %d levels deep, in a change and in the whole list',
    (levels) => {
      const deep = () => {
        let data: object = {}
        for (let level = 0; level < levels; level++) data = { data }
        return data
      }
      const presence = met(entry('ann', 'ann1', deep()), entry('bob'))
      expect(namesOf(presence.apply(8, [entry('cat', 'cat1', deep())], []))).toEqual([
        ['cat'],
        [],
        [],
      ])
      expect(namesOf(presence.apply(9, [entry('ann', 'ann1', { mood: 1 })], []))).toEqual([
        [],
        [],
        ['ann'],
      ])
      presence.apply(10, [entry('ann', 'ann1', deep())], [])
      const again = presence.reset(11, [entry('ann', 'ann1', deep()), entry('bob')])
      expect(usersOf(again.left)).toEqual(['cat'])
      // Whether anything so deep has changed may be unknown; what was not touched has not.
      expect(usersOf(again.updated)).not.toContain('bob')
    },
  )

  it('says nothing of who comes and goes in one change, or shows the same again', () => {
    const presence = met(entry('ann'))
    expect(namesOf(presence.apply(8, [entry('ann')], []))).toEqual([[], [], []])
    expect(namesOf(presence.apply(9, [entry('ann')], [entry('ann')]))).toEqual([[], [], []])
  })

  it('costs what changed: among 20,000 not three times what it costs among 1,000', () => {
    const microsOf = (members: number): number => {
      const presence = met(...Array.from({ length: members }, (_, n) => entry(`user${n}`)))
      let version = 7
      const batch = (): number => {
        const start = performance.now()
        for (let n = 0; n < 5; n++) {
          presence.apply(++version, [entry('guest')], [])
          presence.apply(++version, [], [entry('guest')])
        }
        return performance.now() - start
      }
      // The quickest of many: others work on this machine, too.
      return Math.min(...Array.from({ length: 30 }, batch)) * 100
    }
    microsOf(1_000)
    expect(microsOf(20_000)).toBeLessThan(3 * microsOf(1_000) + 1)
  })
})
