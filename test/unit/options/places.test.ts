import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  AuthedSocket,
  InsecureUrlError,
  multiplexed,
  plain,
  roomPerSocket,
  viaCookie,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../../src/index.ts'
import { making, RIGHT, SECRET, thrownBy } from './making.ts'

const inBrowser = <Result>(run: () => Result): Result => {
  const { process } = globalThis
  // Only for this call: the test runner itself needs it.
  Reflect.set(globalThis, 'process', undefined)
  try {
    return run()
  } finally {
    Reflect.set(globalThis, 'process', process)
  }
}

describe('the place of a socket', () => {
  it.each([viaHeader(), viaCookie()])('in a browser $name is misuse', (transmission) => {
    const error = thrownBy(() => inBrowser(making({ transmission })))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(/transmission.*viaSubprotocol\(\)/)
    expect(making({ transmission })).not.toThrow()
  })

  it.each([viaQuery(), viaSubprotocol()])('in a browser $name is fine', (transmission) => {
    expect(() => inBrowser(making({ transmission }))).not.toThrow()
  })

  const PLATFORM = ['WebSocket', 'location', 'fetch', 'document', 'window', 'navigator']
  const PROTOCOLS = [plain(), roomPerSocket(), multiplexed()]
  it.each(PROTOCOLS)(
    'is made where there is no platform, and touches nothing ($name)',
    (protocol) => {
      for (const name of PLATFORM) vi.stubGlobal(name, undefined)
      const timers = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'setInterval')]
      let calls = 0
      const count = () => {
        calls += 1
        return null
      }
      const socket = new AuthedSocket({
        ...RIGHT,
        protocol,
        url: '/ws/{room}/',
        auth: count,
        fetch: count as never,
        probe: count as never,
        identify: count as never,
        WebSocket: count as never,
        logger: { debug: count, warn: count },
      })
      socket.on('statechange', count)
      expect(socket.getSnapshot()).toEqual({ state: 'idle', everConnected: false })
      expect(socket.identity).toBeUndefined()
      if (protocol.name !== 'plain') expect(socket.room('lobby').state).toBe('idle')
      expect(calls).toBe(0)
      for (const timer of timers) expect(timer).not.toHaveBeenCalled()
    },
  )

  it.each(PLATFORM)('is made without reading %s', (name) => {
    let reads = 0
    const before = Object.getOwnPropertyDescriptor(globalThis, name)
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get: () => {
        reads += 1
        return undefined
      },
    })
    try {
      making()()
    } finally {
      Reflect.deleteProperty(globalThis, name)
      if (before) Object.defineProperty(globalThis, name, before)
    }
    // Where a page is, its address resolves relative URLs: that is all that is read.
    expect(reads).toBeLessThanOrEqual(name === 'location' ? 2 : 0)
  })
})

describe('the url', () => {
  afterEach(() => vi.unstubAllGlobals())

  it.each([
    [`wss://host.example/ws#token=${SECRET}`, '#fragment'],
    ['wss://host.example/ws#', '#fragment'],
    [`/ws#${SECRET}`, '#fragment'],
    [`wss://user:${SECRET}@host.example/`, 'user or password'],
    [`wss://${SECRET}@host.example/`, 'user or password'],
    ['ftp://host.example/ws', 'ws:'],
    ['file:///etc/passwd', 'ws:'],
    ['javascript://host/%0aalert(1)', 'ws:'],
    ['wss://', 'url'],
    ['wss://host:99999/', 'url'],
    ['wss://ho st/', 'url'],
  ])('%s is misuse', (url, says) => {
    const error = thrownBy(making({ url }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('url')
    expect(error.message).toContain(says)
    expect([error.message, error.stack, String(error.cause)].join()).not.toContain(SECRET)
  })

  it('is misuse as a URL object just the same', () => {
    for (const url of ['wss://a:b@host.example/', 'wss://host.example/#x', 'ftp://host.example/'])
      expect(making({ url: new URL(url) })).toThrow(TypeError)
  })

  it('is checked where the protocol brings its own', () => {
    const protocol = roomPerSocket({ url: 'ws://host.example/{room}' })
    expect(making({ protocol })).toThrow(InsecureUrlError)
  })

  it.each([
    'ws://host.example/ws',
    'http://host.example/ws',
    'ws://10.0.0.1/',
    'ws://192.168.1.1/',
    'ws://127.0.0.1.evil.example/',
    'ws://localhost.evil.example/',
    'ws://evil.example/?localhost',
    'ws://notlocalhost/',
    'ws://0.0.0.0/',
    'ws://128.0.0.1/',
    'ws://[::2]/',
  ])('%s would send the token in the clear', (url) => {
    const error = thrownBy(making({ url: `${url}?token=${SECRET}` }))
    expect(error).toBeInstanceOf(InsecureUrlError)
    expect(error).toMatchObject({ code: 'INSECURE_URL' })
    expect(error.message).toContain('wss:')
    expect(error.message).not.toContain(SECRET)
    expect(making({ url, allowInsecure: true })).not.toThrow()
    expect(making({ url, allowInsecure: false })).toThrow(InsecureUrlError)
  })

  it.each([
    'ws://localhost:8000/',
    'http://localhost/',
    'ws://app.localhost/',
    'ws://LOCALHOST/',
    'ws://127.0.0.1/',
    'ws://127.1.2.3/',
    'ws://2130706433/',
    'ws://[::1]/',
    'wss://host.example/',
    'https://host.example/ws',
    'wss://host.example/ws/{room}/',
  ])('%s is fine', (url) => {
    expect(making({ url })).not.toThrow()
  })

  it.each(['/ws', 'ws/', '//other.example/ws', '?x=1'])(
    'a relative one (%s) is fine where there is no page yet, and fails when it is dialed there',
    async (url) => {
      const socket = making({ url, auth: () => SECRET, WebSocket: class {} })()
      await expect(socket.connect()).rejects.toMatchObject({ code: 'HANDSHAKE_REFUSED' })
      expect(socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
      await socket.disconnect()
    },
  )

  it('is resolved against the page, which must be safe as well', () => {
    vi.stubGlobal('location', { href: 'https://page.example/app/' })
    expect(making({ url: '/ws' })).not.toThrow()
    expect(making({ url: 'ws://other.example/' })).toThrow(InsecureUrlError)
    vi.stubGlobal('location', { href: 'http://page.example/app/' })
    expect(making({ url: '/ws' })).toThrow(InsecureUrlError)
  })
})
