import { describe, expect, it } from 'vitest'
import { TokenInvalidError } from '../../../src/errors.ts'
import {
  type FirstMessageOptions,
  viaFirstMessage,
} from '../../../src/transmissions/via-first-message.ts'
import { handshake, JWT, quotes, textsOf, thrownBy } from './handshake.ts'

type Given = Parameters<typeof viaFirstMessage>[0]

const own: FirstMessageOptions = {
  frame: (token) => `hello ${token}`,
  accepted: (frame) => frame === 'come in',
  refused: (frame) => frame === 'go away',
}

/** One socket: what is said on it, what reaches the link, and what the answer was. */
const socketOf = (given: Given) => {
  const log: string[] = []
  const first = viaFirstMessage(given).firstMessage
  if (!first) throw new Error('no first message')
  const listener = first.begin(
    { opened: () => log.push('opened'), frame: (data) => log.push(`heard ${String(data)}`) },
    {
      say: () => log.push('said'),
      accepted: (data) => log.push(`accepted ${String(data)}`),
      refused: () => log.push('refused'),
    },
  )
  const json = (frame: object) => listener.frame(JSON.stringify(frame))
  return { log, listener, json }
}

/** A function of the wrong type, as JavaScript writes it: so it is asserted to be right. */
const untyped = (value: unknown) => value as FirstMessageOptions['frame']

describe('the frame of viaFirstMessage', () => {
  const frameOf = (given: Given, token = JWT) =>
    viaFirstMessage(given).carry(handshake(), token).firstFrame

  it.each<[string, Given, string]>([
    ['a text, as it is', own, `hello ${JWT}`],
    [
      'an object, as JSON',
      { ...own, frame: (token) => ({ op: 'login', token }) },
      `{"op":"login","token":"${JWT}"}`,
    ],
    ['that of the rooms protocol', 'rooms', `{"type":"auth","id":0,"token":"${JWT}"}`],
    [
      'that of a preset with a timeout',
      { preset: 'rooms', timeoutMs: 1 },
      `{"type":"auth","id":0,"token":"${JWT}"}`,
    ],
  ])('is %s', (_, given, expected) => {
    expect(frameOf(given)).toBe(expected)
  })

  it('of Home Assistant is made when it is asked for', async () => {
    const frame = frameOf('home-assistant')
    if (typeof frame !== 'function') throw new Error('it is not made of what the server says')
    expect(await frame({ type: 'auth_required' })).toBe(`{"type":"auth","access_token":"${JWT}"}`)
  })

  it('is all that the token is in', () => {
    const bare = handshake({ protocols: ['v1'] })
    const { firstFrame, ...rest } = viaFirstMessage('rooms').carry(bare, JWT)
    expect(firstFrame).toContain(JWT)
    expect(rest).toEqual(bare)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error(`bad ${JWT}`)
      },
    ],
    ['returns nothing', () => undefined],
    ['returns an empty text', () => ''],
    ['returns a number', () => 7],
    ['returns a promise', async () => JWT],
    ['returns what has no JSON', () => ({ toJSON: () => undefined })],
    [
      'returns a circle',
      () => {
        const circle: Record<string, unknown> = {}
        circle['it'] = circle
        return circle
      },
    ],
  ])('is refused where the function %s', (_, frame) => {
    const error = thrownBy(() => frameOf({ ...own, frame: untyped(frame) }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('viaFirstMessage: frame')
    expect(quotes(textsOf(error), JWT)).toBe(false)
  })

  it.each(['', `${JWT}\n`, '\u0000', '\ud800'])('is not made for the token %j', (token) => {
    const error = thrownBy(() => frameOf('rooms', token))
    expect(error).toBeInstanceOf(TokenInvalidError)
    if (token.length > 8) expect(quotes(textsOf(error), token)).toBe(false)
  })
})

describe('the dialogue of viaFirstMessage', () => {
  it('says the frame at the open, and hands over from the frame on that accepts', () => {
    const { log, listener } = socketOf(own)
    expect(log).toEqual([])
    listener.opened()
    expect(log).toEqual(['opened', 'said'])
    for (const frame of ['too early', 'come in', 'come in', 'go away', 'talk'])
      listener.frame(frame)
    expect(log.slice(2)).toEqual([
      'accepted come in',
      'heard come in',
      'heard go away',
      'heard talk',
    ])
  })

  it('says it when the server wants it, once', () => {
    const { log, listener, json } = socketOf('home-assistant')
    listener.opened()
    expect(log).toEqual(['opened'])
    json({ type: 'auth_required', ha_version: '2026.11.0' })
    json({ type: 'auth_required', ha_version: '2026.11.0' })
    expect(log).toEqual(['opened', 'said'])
    json({ type: 'auth_ok', ha_version: '2026.11.0' })
    expect(log.at(-1)).toBe('accepted {"type":"auth_ok","ha_version":"2026.11.0"}')
  })

  it('hears a refusal', () => {
    const { log, listener, json } = socketOf('home-assistant')
    listener.opened()
    json({ type: 'auth_required' })
    json({ type: 'auth_invalid', message: 'Invalid password' })
    expect(log).toEqual(['opened', 'said', 'refused'])
  })

  it('of the rooms protocol ends with the welcome', () => {
    const { log, listener, json } = socketOf('rooms')
    listener.opened()
    json({ type: 'joined', room: 'a' })
    json({ type: 'welcome', version: 1 })
    expect(log.slice(2)).toEqual(['accepted {"type":"welcome","version":1}'])
  })

  it('is not disturbed by what is no JSON, by bytes, or by a test that throws', () => {
    const seen: unknown[] = []
    const { log, listener } = socketOf({
      ...own,
      accepted: (frame) => {
        seen.push(frame)
        return (frame as { hello: { name: string } }).hello.name === 'alice'
      },
      refused: () => {
        throw new Error('never')
      },
    })
    const bytes = new ArrayBuffer(1)
    listener.opened()
    listener.frame('no JSON')
    listener.frame(bytes)
    listener.frame('{"hello":{"name":"alice"}}')
    expect(seen).toEqual(['no JSON', bytes, { hello: { name: 'alice' } }])
    expect(log.slice(2)).toEqual(['accepted {"hello":{"name":"alice"}}'])
  })

  it('takes nothing but true for a yes', () => {
    const { log, listener } = socketOf({ ...own, accepted: untyped(() => 'yes') as never })
    listener.opened()
    listener.frame('anything')
    expect(log).toEqual(['opened', 'said'])
  })

  it('keeps no token', () => {
    const transmission = viaFirstMessage('rooms')
    transmission.carry(handshake(), JWT)
    expect(quotes(JSON.stringify(transmission), JWT)).toBe(false)
  })
})
