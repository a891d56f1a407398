import { describe, expect, it } from 'vitest'
import {
  check,
  duration,
  either,
  flag,
  func,
  hasMethods,
  isObject,
  kindOf,
  numberFrom,
  object,
  type Rule,
  text,
  texts,
  textsBy,
  url,
  words,
} from '../../../src/core/check.ts'

const SAMPLES: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  'a text': 'x',
  'an empty text': '',
  true: true,
  zero: 0,
  one: 1,
  'a negative': -1,
  NaN: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  'the longest timer': 2 ** 31 - 1,
  'beyond the longest timer': 2 ** 31,
  'an object': {},
  'an array': [],
  'an array of texts': ['a'],
  'an array of numbers': [1],
  'an array with an empty text': ['a', ''],
  'a URL': new URL('https://example.com'),
  'a function': () => {},
}

describe.each<[string, Rule, readonly string[]]>([
  ['text', text, ['a text']],
  ['url', url, ['a text', 'a URL']],
  ['flag', flag, ['true']],
  ['func', func, ['a function']],
  ['object', object, ['an object', 'a URL']],
  ['texts', texts, ['an array', 'an array of texts']],
  ['words', words('x', 'y'), ['a text']],
  ['textsBy', textsBy('a'), ['an object', 'a URL']],
  ['numberFrom(0, 1)', numberFrom(0, 1), ['zero', 'one']],
  ['duration', duration, ['one', 'the longest timer']],
  ['either', either(flag, func), ['true', 'a function']],
])('the rule %s', (_, [isRight, wanted], right) => {
  it(`takes ${right.join(', ')} and nothing else`, () => {
    expect(Object.keys(SAMPLES).filter((name) => isRight(SAMPLES[name]))).toEqual(right)
  })
  it('says in words what it wants', () => {
    expect(wanted).toMatch(/\w/)
  })
})

it('either names each of what it takes', () => {
  expect(either(flag, func)[1]).toBe('true or false or a function')
})

it.each<[unknown, string]>([
  [undefined, 'undefined'],
  [null, 'null'],
  [[], 'an array'],
  ['secret', 'a value of type string'],
  [5, 'a value of type number'],
])('a value is named by its kind, and never printed', (value, kind) => {
  expect(kindOf(value)).toBe(kind)
})

it('objects are neither null nor arrays', () => {
  expect([isObject({}), isObject(null), isObject([]), isObject('x')]).toEqual([
    true,
    false,
    false,
    false,
  ])
})

it('methods are looked for on any object', () => {
  expect(hasMethods({ a() {}, b() {} }, 'a', 'b')).toBe(true)
  expect(hasMethods({ a() {} }, 'a', 'b')).toBe(false)
  expect(hasMethods(null, 'a')).toBe(false)
})

describe('a check', () => {
  const rules = { name: text, waitMs: duration, on: flag }
  const checking = (options: unknown) => () => check('maker', options, rules, ['name'])

  it('takes what is right, and lets optional ones be left out', () => {
    expect(checking({ name: 'x' })).not.toThrow()
    expect(checking({ name: 'x', waitMs: 5, on: undefined })).not.toThrow()
  })

  it.each<[string, unknown, typeof TypeError, string]>([
    ['no object', 'secret', TypeError, 'maker takes an object, not a value of type string'],
    [
      'an unknown option',
      { name: 'x', nmae: 'secret' },
      TypeError,
      "maker has no option 'nmae'; it has name, waitMs, on",
    ],
    [
      'an inherited name',
      { name: 'x', constructor: 'secret' },
      TypeError,
      "no option 'constructor'",
    ],
    ['a missing option', {}, TypeError, 'maker: name must be a non-empty string, not undefined'],
    [
      'a wrong type',
      { name: 5 },
      TypeError,
      'maker: name must be a non-empty string, not a value of type number',
    ],
    [
      'a number out of range',
      { name: 'x', waitMs: 0 },
      RangeError,
      'maker: waitMs must be a number from 1',
    ],
    [
      'a text for a number',
      { name: 'x', waitMs: 'secret' },
      TypeError,
      'maker: waitMs must be a number',
    ],
  ])('throws for %s, names it, and prints no value', (_, options, kind, message) => {
    expect(checking(options)).toThrow(kind)
    expect(checking(options)).toThrow(message)
    expect(checking(options)).not.toThrow('secret')
  })
})
