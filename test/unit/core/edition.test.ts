import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareEditions,
  type Edition,
  editionIn,
  editionOfLogin,
  editionOfLogout,
  latestOf,
  meet,
  refused,
  renewed,
  wordOf,
} from '../../../src/core/edition.ts'

const LOGIN: Edition = { at: 1_000, login: 'a', turn: 0, state: 'held', by: 'one' }
const by = (tab: string, at = 1_000, login = 'b') => ({ by: tab, at, login })

const anyEdition: fc.Arbitrary<Edition> = fc.record({
  at: fc.integer({ min: 0, max: 4 }),
  login: fc.constantFrom('a', 'b'),
  turn: fc.integer({ min: 0, max: 2 }),
  state: fc.constantFrom('held', 'refused', 'out'),
  by: fc.constantFrom('one', 'two'),
})

describe('which edition counts', () => {
  it.each<[string, Edition, Edition]>([
    ['a renewal over what it renews', renewed(LOGIN, 'two'), LOGIN],
    ['a refusal over the token that was refused', refused(LOGIN, 'two'), LOGIN],
    ['a renewal over the refusal of the token before', renewed(LOGIN, 'two'), refused(LOGIN, 'x')],
    ['a logout over every renewal', editionOfLogout(LOGIN, by('two')), renewed(LOGIN, 'two')],
    ['a login over the one before', editionOfLogin(LOGIN, by('two')), renewed(LOGIN, 'two')],
    ['a login over a logout', editionOfLogin(editionOfLogout(LOGIN, by('x')), by('two')), LOGIN],
    [
      'a later login, though the clock was set back',
      editionOfLogin(LOGIN, by('two', 10)),
      renewed(LOGIN, 'two'),
    ],
  ])('%s', (_, newer, older) => {
    expect(compareEditions(newer, older)).toBeGreaterThan(0)
    expect(compareEditions(older, newer)).toBeLessThan(0)
    expect(meet(newer, older)).toBe('behind')
  })

  it('is a total order: tabs that hear the same words, in any order, agree', () => {
    fc.assert(
      fc.property(fc.array(anyEdition, { minLength: 1, maxLength: 8 }), (all) => {
        const heard = (order: readonly Edition[]) => {
          let mine: Edition | undefined
          for (const theirs of order)
            if (!['behind', 'same'].includes(meet(mine, theirs))) mine = theirs
          return mine
        }
        const forwards = heard(all)
        expect(heard([...all].reverse())).toEqual(forwards)
        expect(heard([...all, ...all])).toEqual(forwards)
        expect(latestOf(all)).toEqual(forwards)
      }),
    )
  })

  it('none is the latest of none', () => {
    expect(latestOf([undefined])).toBeUndefined()
  })
})

describe('what another tab says', () => {
  const other = editionOfLogin(LOGIN, by('two'))
  const out = editionOfLogout(LOGIN, by('two'))
  it.each<[string, Edition | undefined, Edition, string]>([
    ['it renewed', LOGIN, renewed(LOGIN, 'two'), 'renewed'],
    [
      'it renewed twice, and one word was lost',
      LOGIN,
      renewed(renewed(LOGIN, 'x'), 'x'),
      'renewed',
    ],
    ['it was refused', LOGIN, refused(LOGIN, 'two'), 'refused'],
    ['it signed out', LOGIN, out, 'signed-out'],
    ['it signed in as somebody', LOGIN, other, 'signed-in'],
    ['somebody signed in, and was refused', LOGIN, refused(other, 'two'), 'signed-out'],
    ['nothing new', LOGIN, LOGIN, 'same'],
    ['to a new tab: somebody is signed in', undefined, LOGIN, 'signed-in'],
    ['to a new tab: nobody is', undefined, out, 'noted'],
    ['to a new tab: somebody was refused', undefined, refused(LOGIN, 'x'), 'noted'],
    ['to a refused tab: a late answer came', refused(LOGIN, 'x'), renewed(LOGIN, 'y'), 'signed-in'],
    ['to a refused tab: the same from another', refused(LOGIN, 'x'), refused(LOGIN, 'y'), 'noted'],
    ['to a refused tab: it signed out', refused(LOGIN, 'x'), out, 'signed-out'],
    ['to a tab that signed out: so did another', out, editionOfLogout(out, by('x')), 'noted'],
    [
      'to a tab that signed out: somebody signed in',
      out,
      editionOfLogin(out, by('x')),
      'signed-in',
    ],
  ])('%s', (_, mine, theirs, meeting) => {
    expect(meet(mine, theirs)).toBe(meeting)
  })
})

describe('whose hands it is in', () => {
  const switched = editionOfLogin(LOGIN, by('two', 1_000, 'b'), 'switch')
  const again = editionOfLogin(switched, by('two', 1_000, 'c'))
  const out = editionOfLogout(LOGIN, by('two', 1_000, 'd'))
  /** Of a tab that knows no hands. */
  const old: Edition = { at: 9_000, login: 'old', turn: 0, state: 'held', by: 'old tab' }

  it.each<[string, Edition | undefined, Edition, string]>([
    ['after a switch', LOGIN, switched, 'switched'],
    ['after a switch, and renewals', LOGIN, renewed(renewed(switched, 'x'), 'x'), 'switched'],
    ['after a switch, and a login', LOGIN, again, 'switched'],
    ['after a logout, and a login', LOGIN, editionOfLogin(out, by('two')), 'switched'],
    ['after a refusal, and a switch', refused(LOGIN, 'x'), switched, 'switched'],
    [
      'after two switches',
      switched,
      editionOfLogin(again, by('x', 1_000, 'z'), 'switch'),
      'switched',
    ],
    ['after a login', LOGIN, editionOfLogin(LOGIN, by('two')), 'signed-in'],
    ['after a restore', LOGIN, editionOfLogin(LOGIN, by('two'), 'restore'), 'signed-in'],
    ['after a login, the switch before it was heard', switched, again, 'signed-in'],
    ['after a logout that was heard', out, editionOfLogin(out, by('two')), 'signed-in'],
    ['to a new tab', undefined, switched, 'signed-in'],
    ['renewed', switched, renewed(switched, 'x'), 'renewed'],
    ['by a login of an older version', switched, old, 'signed-in'],
    ['after a login of an older version', old, editionOfLogin(old, by('x')), 'signed-in'],
    ['after it, and a switch', old, editionOfLogin(old, by('x'), 'switch'), 'switched'],
  ])('%s', (_, mine, theirs, meeting) => {
    expect(meet(mine, theirs)).toBe(meeting)
  })

  it('does not grow with each login, and older versions can read it', () => {
    const id = 'f'.repeat(32)
    let last = editionOfLogin(undefined, { by: id, at: Date.now(), login: id }, 'switch')
    for (let logins = 0; logins < 100; logins++)
      last = renewed(editionOfLogin(last, { by: id, at: Date.now(), login: id }), id)
    expect(wordOf(last)).toMatch(/^[0-9]+\/[^/]+\/1\/held\/[^/]+$/)
    expect(wordOf(last).length).toBeLessThan(200)
  })
})

describe('the word for it', () => {
  it('says all of it, and nothing else is understood', () => {
    fc.assert(
      fc.property(anyEdition, (edition) => {
        expect(editionIn(wordOf(edition))).toEqual(edition)
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string()), (word) => {
        const edition = editionIn(word)
        if (edition) expect(wordOf(edition)).toBe(word)
      }),
    )
  })

  it.each([
    ['no number', 'x/a/0/held/one'],
    ['a number written otherwise', '01/a/0/held/one'],
    ['hexadecimal', '0x1/a/0/held/one'],
    ['beyond all counting', `${Number.MAX_SAFE_INTEGER}/a/0/held/one`],
    ['endless', 'Infinity/a/0/held/one'],
    ['negative', '-1/a/0/held/one'],
    ['negative turns', '1/a/-1/held/one'],
    ['half a turn', '1/a/0.5/held/one'],
    ['no login', '1//0/held/one'],
    ['no author', '1/a/0/held/'],
    ['another state', '1/a/0/toString/one'],
    ['more', '1/a/0/held/one/two'],
    ['too long', `1/${'a'.repeat(200)}/0/held/one`],
  ])('%s is not understood', (_, word) => {
    expect(editionIn(word)).toBeUndefined()
  })
})
