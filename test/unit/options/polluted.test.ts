import { expect, it, onTestFinished } from 'vitest'
import { resolveOptions } from '../../../src/options.ts'
import { RIGHT } from './making.ts'

it.each<[string, unknown]>([
  ['allowInsecure', true],
  ['origins', ['https://evil.example']],
  ['fetch', () => {}],
  ['WebSocket', class {}],
  ['probe', 'https://evil.example'],
  ['closePolicy', { 1000: 'stop' }],
  ['settleMs', 7],
  ['closeAtExpiry', true],
  ['not-an-option', 1],
])('%s on the prototype of all objects changes nothing of a socket', (name, value) => {
  const before = Reflect.get(resolveOptions(RIGHT), name)
  onTestFinished(() => {
    Reflect.deleteProperty(Object.prototype, name)
  })
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  expect(Reflect.get(resolveOptions(RIGHT), name)).toEqual(before)
  expect(Reflect.get(resolveOptions({ ...RIGHT, retry: {}, outbox: {} }), name)).toEqual(before)
})
