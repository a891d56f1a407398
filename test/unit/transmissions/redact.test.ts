import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactUrl } from '../../../src/transmissions/redact.ts'
import { JWT, quotes } from './handshake.ts'

describe('redactUrl', () => {
  it.each([
    ['ws://h/ws/chat/', 'ws://h/ws/chat/'],
    [`wss://h:8443/ws/?token=${JWT}`, 'wss://h:8443/ws/?token=…'],
    [`ws://h/?a=1&token=${JWT}&b`, 'ws://h/?a=…&token=…&…'],
    [`ws://h/?${JWT}`, 'ws://h/?…'],
    [`ws://h/?${JWT}&a=1`, 'ws://h/?…&a=…'],
    ['ws://h/?=x', 'ws://h/?=…'],
    ['ws://h/?a=x=y', 'ws://h/?a=…'],
    ['ws://h/?', 'ws://h/'],
    [`ws://user:${JWT}@h/p`, 'ws://h/p'],
    [`ws://${JWT}@h/p`, 'ws://h/p'],
    [`ws:\\\\u:${JWT}@h/p`, 'ws://h/p'],
    [`ws://h/p#${JWT}`, 'ws://h/p'],
    [`/ws/?token=${JWT}#x`, '/ws/?token=…'],
    [`//u:p@h/ws?t=${JWT}`, 'ws://h/ws?t=…'],
    [`user:${JWT}@h/p`, '(invalid URL)'],
    [`http://[${JWT}`, '(invalid URL)'],
    ['', '/'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })

  it('takes a URL object and leaves it alone', () => {
    const url = new URL(`wss://h/?token=${JWT}`)
    expect(redactUrl(url)).toBe('wss://h/?token=…')
    expect(url.search).toContain(JWT)
  })

  it('shows no value, wherever it stands', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9._-]{12,40}$/)
    const shape = fc.constantFrom<(text: string) => string>(
      (text) => `wss://host/ws?x=1&token=${text}`,
      (text) => `wss://host/ws?${text}`,
      (text) => `wss://u:${text}@host/ws`,
      (text) => `wss://host/ws#${text}`,
      (text) => `/ws?token=${text}&token=${text}`,
    )
    fc.assert(
      fc.property(secret, shape, (text, make) => {
        expect(quotes(redactUrl(make(text)), text)).toBe(false)
      }),
    )
  })
})
