/** Options are their own keys: what stands on the prototype of all objects changes no handshake. */
import { expect, it, onTestFinished } from 'vitest'
import {
  multiplexed,
  roomPerSocket,
  viaCookie,
  viaFirstMessage,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../../src/index.ts'
import { handshake, JWT } from './handshake.ts'

const WAYS = {
  viaQuery,
  viaSubprotocol,
  bearer: () => viaSubprotocol({ preset: 'bearer' }),
  jupyter: () => viaSubprotocol({ preset: 'jupyter' }),
  phoenix: () => viaSubprotocol({ preset: 'phoenix' }),
  viaHeader,
  viaCookie,
  rooms: () => viaFirstMessage('rooms'),
  own: () => viaFirstMessage({ frame: (token) => ({ token }), accepted: () => true }),
}

const EVIL: readonly [string, unknown][] = [
  ['param', 'evil'],
  ['acceptLogging', true],
  ['name', 'Evil'],
  ['scheme', 'Evil'],
  ['app', 'evil'],
  ['word', 'evil'],
  ['preset', 'home-assistant'],
  ['after', () => true],
  ['timeoutMs', 1],
]

/** What is made, and what it makes of a token. */
const seen = (make: () => ReturnType<typeof viaQuery>) => {
  const { name, warning, firstMessage, carry } = make()
  const { url, protocols, headers, firstFrame } = carry(handshake(), JWT)
  const frame = typeof firstFrame === 'function' ? 'a function' : firstFrame
  return [name, warning, firstMessage?.timeoutMs, url.href, protocols, headers, frame]
}

const polluted = <Given>(name: string, value: unknown, run: () => Given): Given => {
  const clean = () => Reflect.deleteProperty(Object.prototype, name)
  onTestFinished(() => {
    clean()
  })
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
  const given = run()
  clean()
  return given
}

it.each(EVIL)('%s on the prototype of all objects changes no transmission', (name, value) => {
  for (const make of Object.values(WAYS)) {
    const before = seen(make)
    expect(polluted(name, value, () => seen(make))).toEqual(before)
  }
})

it('url on the prototype of all objects is no URL of a room', () => {
  const protocol = polluted('url', 'wss://evil.example/{room}', roomPerSocket)
  expect(protocol.url).toBeUndefined()
})

it('joinInUrl on the prototype of all objects names no room in a URL', () => {
  const url = new URL('wss://host.example/')
  const codec = polluted('joinInUrl', true, multiplexed).codec({ clientId: 'c' })
  expect(codec.address?.(url, ['room'])).toEqual([])
})

it('takes options that a class has made', () => {
  class Options {
    get param() {
      return 'ticket'
    }
  }
  const made = viaQuery(new Options()).carry(handshake(), JWT)
  expect(made.url.searchParams.get('ticket')).toBe(JWT)
})
