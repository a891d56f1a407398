/** Values that JSON would write as something else, without a word; and those that it writes as they are. */
import { runInNewContext } from 'node:vm'

/** Of another realm, as in a frame of a page, jsdom or `vm`: `instanceof` knows nothing of it. */
const foreign = (source: string): unknown => runInNewContext(source)

class Cart extends Map<string, number> {
  /** `JSON.stringify` writes this, and none of the entries. */
  readonly owner = 'alice'
}
class Tagged extends Map<string, number> {
  override get [Symbol.toStringTag]() {
    return 'Basket'
  }
}
class ApiError extends Error {
  status = 404
}
class TaggedError extends Error {
  get [Symbol.toStringTag]() {
    return 'TaggedError'
  }
}
class Calendar extends Date {
  override toJSON() {
    return Object(new Map())
  }
}
function* numbers() {
  yield 1
}

/** As an upload library does: the file has fields of its own, and JSON writes those. */
const picked = () => Object.assign(new File(['abc'], 'a.txt'), { path: './a.txt' })

export const WITHOUT_JSON: readonly (readonly [name: string, value: unknown])[] = [
  ['Blob', new Blob(['abc'])],
  ['File', new File(['abc'], 'a.txt')],
  ['File with fields', picked()],
  ['FormData', new FormData()],
  ['ArrayBuffer', new ArrayBuffer(3)],
  ['ArrayBuffer of nothing', new ArrayBuffer(0)],
  ['SharedArrayBuffer', new SharedArrayBuffer(3)],
  ['Uint8Array', new Uint8Array([1, 2])],
  ['Uint8Array of nothing', new Uint8Array()],
  ['Float64Array', new Float64Array([1.5])],
  ['BigInt64Array of nothing', new BigInt64Array()],
  ['DataView', new DataView(new ArrayBuffer(1))],
  ['view of shared memory', new Uint8Array(new SharedArrayBuffer(1))],
  // Its toJSON is Node's alone: the same code in a browser would send something else.
  ['Buffer', Buffer.from('abc')],
  ['ArrayBuffer of another realm', foreign('new ArrayBuffer(3)')],
  ['SharedArrayBuffer of another realm', foreign('new SharedArrayBuffer(3)')],
  ['Uint8Array of another realm', foreign('new Uint8Array(3)')],
  ['DataView of another realm', foreign('new DataView(new ArrayBuffer(3))')],
  ['Map', new Map([['a', 1]])],
  ['Map of another realm', foreign('new Map([[1, 1]])')],
  ['Map with fields', new Cart([['apple', 2]])],
  ['Map under another name', new Tagged([['apple', 2]])],
  ['Map behind a proxy', new Proxy(new Map(), {})],
  ['Set', new Set([1])],
  ['Set of another realm', foreign('new Set([1])')],
  ['WeakMap', new WeakMap()],
  ['WeakSet', new WeakSet()],
  ['WeakRef', new WeakRef({})],
  ['Promise', Promise.resolve(1)],
  ['Promise with fields', Object.assign(Promise.resolve(1), { pid: 7 })],
  ['RegExp', /a/],
  ['RegExp of another realm', foreign('/a/')],
  ['Error', new Error('secret')],
  ['Error of another realm', foreign('new TypeError("x")')],
  ['Error with fields', Object.assign(new Error('x'), { code: 'E' })],
  ['Error of a class with fields', new ApiError('x')],
  ['Error under another name', new TaggedError('x')],
  ['DOMException', new DOMException('x')],
  ['AggregateError', new AggregateError([])],
  ['URLSearchParams', new URLSearchParams('a=1')],
  ['Headers', new Headers({ a: '1' })],
  ['Request', new Request('http://localhost/')],
  ['Response', new Response('x')],
  ['ReadableStream', new ReadableStream()],
  ['AbortSignal', new AbortController().signal],
  ['Event, which is written as isTrusted', new Event('click')],
  ['generator', numbers()],
  ['iterator', [1].values()],
  ['iterator of a Map', new Map().entries()],
  ['Intl', new Intl.NumberFormat('en')],
  ['boxed symbol', Object(Symbol('x'))],
  // Nobody asks it for a word of its own: it was one.
  ['Date that toJSON gives', { toJSON: () => new Date(0) }],
  ['Map that toJSON gives', { toJSON: () => new Map() }],
  ['Date whose word is a Map', new Calendar(0)],
  [
    'FormData of a library, for runtimes of old',
    Object.assign(
      new (class FormData {
        get [Symbol.toStringTag]() {
          return 'FormData'
        }
      })(),
      { fields: 1 },
    ),
  ],
]

class Point {
  readonly x = 1
  readonly y = 2
  /** Not written, as ever. */
  readonly #secret = 3
  get sum() {
    return this.x + this.y + this.#secret
  }
}
class Empty {}
class Money {
  readonly cents = 5
  get [Symbol.toStringTag]() {
    return 'Money'
  }
}
class Decimal {
  readonly digits = new Map([[0, 1]])
  toJSON() {
    return '1.0'
  }
}
class SaidError extends Error {
  toJSON() {
    return { name: this.name, message: this.message }
  }
}
function Old(this: { a: number }) {
  this.a = 1
}
Old.prototype.method = () => {}

/** Each is sent as `JSON.stringify` writes it. */
export const WITH_JSON: readonly (readonly [name: string, value: unknown])[] = [
  ['an empty object', {}],
  ['empty objects and lists within', { meta: {}, list: [], deep: [[{}], { a: {} }] }],
  ['the texts of what has no JSON', { text: '{}', map: '{"0":1}', tag: '[object Map]' }],
  ['what looks like bytes', { 0: 1, 1: 2 }],
  ['an object of a class', new Point()],
  ['an object of an empty class', new Empty()],
  ['an object of a class with a name of its own', new Money()],
  ['an object of a function', Reflect.construct(Old, [])],
  ['an object without a prototype', Object.assign(Object.create(null), { a: { b: 1 } })],
  ['an object of another realm', foreign('({ a: { b: [1, {}] } })')],
  ['a list of another realm', foreign('[1, {}, [2]]')],
  ['an object of a class of another realm', foreign('new (class A { a = 1 })()')],
  [
    'an object that inherits',
    Object.create({ inherited: new Map() }, { a: { value: 1, enumerable: true } }),
  ],
  ['an object behind a proxy', new Proxy({ a: [1] }, {})],
  ['a module', Object.defineProperty({ a: 1 }, Symbol.toStringTag, { value: 'Module' })],
  ['a Date', new Date(0)],
  ['no Date', new Date(Number.NaN)],
  ['a Date of another realm', foreign('new Date(0)')],
  ['a URL', new URL('http://localhost/a')],
  ['what has a word of its own', new Decimal()],
  ['an Error with a word of its own', new SaidError('x')],
  ['a Map with a word of its own', Object.assign(new Map(), { toJSON: () => [1] })],
  ['a word of its own for nothing', { a: { toJSON: () => undefined } }],
  ['boxed values', [Object(1), Object('a'), Object(false)]],
  ['what is no number', [Number.NaN, Number.POSITIVE_INFINITY]],
  [
    'undefined, functions and symbols within',
    { a: undefined, b: () => 1, c: Symbol('x'), d: [undefined] },
  ],
  ['fields that JSON does not write', { [Symbol('x')]: new Map() }],
  ['a hidden field', Object.defineProperty({ a: 1 }, 'hidden', { value: new Map() })],
  ['holes', new Array(3)],
  ['what is two thousand deep', JSON.parse(`${'['.repeat(2000)}{}${']'.repeat(2000)}`)],
  ['a list with fields', Object.assign([1], { extra: new Map() })],
  ['arguments', foreign('(function () { return arguments })(1, 2)')],
  ['null', null],
  ['a text', 'hi'],
]
