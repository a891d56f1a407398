import { describe, expect, it } from 'vitest'
import { viaCookie } from '../../../src/transmissions/via-cookie.ts'
import { viaFirstMessage } from '../../../src/transmissions/via-first-message.ts'
import { viaHeader } from '../../../src/transmissions/via-header.ts'
import { viaQuery } from '../../../src/transmissions/via-query.ts'
import { viaSubprotocol } from '../../../src/transmissions/via-subprotocol.ts'
import { JWT, thrownBy } from './handshake.ts'

/** As JavaScript calls them. */
const MAKERS: Record<string, (options: unknown) => unknown> = {
  viaQuery: (options) => Reflect.apply(viaQuery, undefined, [options]),
  viaSubprotocol: (options) => Reflect.apply(viaSubprotocol, undefined, [options]),
  viaHeader: (options) => Reflect.apply(viaHeader, undefined, [options]),
  viaCookie: (options) => Reflect.apply(viaCookie, undefined, [options]),
  viaFirstMessage: (options) => Reflect.apply(viaFirstMessage, undefined, [options]),
}

const WRONG: [maker: string, options: unknown, says: string[]][] = [
  ...['viaQuery', 'viaHeader', 'viaCookie'].flatMap((maker): typeof WRONG => [
    [maker, null, ['null']],
    [maker, JWT, ['type string']],
    [maker, [], ['an array']],
    [maker, () => ({}), ['type function']],
    [maker, { tokn: 1 }, ["no option 'tokn'"]],
  ]),
  ['viaQuery', { param: 1 }, ['param', 'type number', "'token'"]],
  ['viaQuery', { param: null }, ['param', 'null']],
  ['viaQuery', { param: '' }, ['param', "'token'"]],
  ['viaQuery', { param: '\ud800' }, ['param', "'token'"]],
  ['viaQuery', { acceptLogging: 'yes' }, ['acceptLogging', 'type string', 'true or false']],
  ['viaQuery', { acceptLogging: 1 }, ['acceptLogging', 'type number']],
  ['viaHeader', { name: 1 }, ['name', 'type number', 'one word']],
  ['viaHeader', { name: '' }, ['name', 'one word']],
  ['viaHeader', { name: 'X Token' }, ['name', 'one word']],
  ['viaHeader', { name: 'X:\r\nY' }, ['name']],
  ['viaHeader', { name: 'Cookie' }, ['name', 'not a header of the handshake itself']],
  ['viaHeader', { name: 'HOST' }, ['name', 'not a header of the handshake itself']],
  ['viaHeader', { name: 'Sec-WebSocket-Protocol' }, ['name', 'of the handshake itself']],
  ['viaHeader', { scheme: 1 }, ['scheme', 'type number', 'one word']],
  ['viaHeader', { scheme: 'Bearer ' }, ['scheme', 'one word', 'or empty']],
  ['viaCookie', { name: {} }, ['name', 'type object', 'one word']],
  ['viaCookie', { name: '' }, ['name']],
  ['viaCookie', { name: 'a=b' }, ['name']],
  ['viaCookie', { name: 'a;b' }, ['name']],
  ['viaSubprotocol', null, ['null']],
  ['viaSubprotocol', 7, ['type number']],
  ['viaSubprotocol', ['token'], ['an array']],
  ['viaSubprotocol', JWT, ['preset', "'pair' or 'bearer' or", 'type string', 'function']],
  ['viaSubprotocol', '', ['preset']],
  ['viaSubprotocol', {}, ['preset', 'undefined']],
  ['viaSubprotocol', { preset: 1 }, ['preset', 'type number']],
  ['viaSubprotocol', { preset: 'pair', app: 'chat' }, ['app', "preset: 'bearer'"]],
  ['viaSubprotocol', { preset: 'bearer', app: 1 }, ['app', 'type number', 'one word']],
  ['viaSubprotocol', { preset: 'bearer', app: '' }, ['app', 'one word']],
  ['viaSubprotocol', { preset: 'bearer', app: 'a,b' }, ['app', 'one word']],
  ['viaSubprotocol', { preset: 'bearer', aap: 'x' }, ["no option 'aap'", 'app']],
  ['viaSubprotocol', 'kubernetes', ['app', 'undefined', 'one word']],
  ['viaSubprotocol', { preset: 'kubernetes' }, ['app', 'undefined', 'one word']],
  ['viaSubprotocol', { preset: 'phoenix', app: 'x' }, ['app', "preset: 'bearer' or"]],
  ['viaSubprotocol', { preset: 'jupyter', app: 'a b' }, ['app', 'one word']],
  ['viaSubprotocol', { preset: 'pair', word: 'a,b' }, ['word', 'one word']],
  ['viaSubprotocol', { preset: 'jupyter', word: 'x' }, ['word', "preset: 'pair'"]],
  ['viaFirstMessage', undefined, ['undefined']],
  ['viaFirstMessage', null, ['null']],
  ['viaFirstMessage', JWT, ['preset', "'rooms' or 'home-assistant'", 'type string']],
  ['viaFirstMessage', [], ['an array']],
  ['viaFirstMessage', {}, ['frame', 'undefined', 'a function']],
  ['viaFirstMessage', { frame: String }, ['accepted', 'undefined']],
  ['viaFirstMessage', { frame: JWT, accepted: Boolean }, ['frame', 'type string']],
  ['viaFirstMessage', { frame: String, accepted: Boolean, refused: true }, ['refused']],
  ['viaFirstMessage', { frame: String, accepted: Boolean, after: 'x' }, ['after']],
  ['viaFirstMessage', { frame: String, accepted: Boolean, token: JWT }, ["no option 'token'"]],
  ['viaFirstMessage', { preset: 'rooms', frame: String }, ["no option 'frame'"]],
  ['viaFirstMessage', { preset: 'rooms', timeoutMs: '5' }, ['timeoutMs', 'type string']],
]

describe('options', () => {
  it.each(WRONG)('%s(%j) is misuse', (maker, options, says) => {
    const error = thrownBy(() => MAKERS[maker]?.(options))
    expect(error).toBeInstanceOf(TypeError)
    for (const text of [maker, ...says]) expect(error.message).toContain(text)
    expect(error.message).not.toContain(JWT)
  })

  it.each([0, -1, Number.NaN, 2 ** 31])('a timeout of %d ms is out of range', (timeoutMs) => {
    expect(() => viaFirstMessage({ preset: 'rooms', timeoutMs })).toThrow(RangeError)
  })

  it.each(Object.keys(MAKERS).filter((name) => name !== 'viaFirstMessage'))(
    '%s() needs none',
    (maker) => {
      expect(() => MAKERS[maker]?.(undefined)).not.toThrow()
    },
  )
})
