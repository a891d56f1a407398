/** Headers where none can be set: said by name, as early as it can be known. */

import { WebSocket as UndiciSocket } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  plain,
  viaCookie,
  viaHeader,
  viaQuery,
} from '../../src/index.ts'
import { startBareServer } from '../shell/dialing.ts'

const PLATFORMS: [string, object][] = [
  ['a page', { process: undefined, location: new URL('https://app.example/') }],
  ['Workers with process', { navigator: { userAgent: 'Cloudflare-Workers' } }],
  ['Workers without', { navigator: { userAgent: 'Cloudflare-Workers' }, process: undefined }],
]

const make = (given: Partial<AuthedSocketOptions>, url = 'wss://app.example/') => {
  const warnings: string[] = []
  const socket = new AuthedSocket({
    url,
    auth: () => 'secret-4711',
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    probe: async () => 'unreachable',
    logger: { debug: () => {}, warn: (message) => warnings.push(message) },
    ...given,
  })
  onTestFinished(() => socket.disconnect())
  return { socket, warnings }
}

const ORIGIN = 'https://app.example'

describe.each(PLATFORMS)('on %s', (_, globals) => {
  const here = () => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
  }

  it.each([
    ['viaHeader', { transmission: viaHeader() }, /transmission header/],
    ['viaCookie', { transmission: viaCookie() }, /transmission cookie/],
    [
      'another header',
      { webSocketOptions: { headers: { 'X-Key': 'secret-4711' } } },
      /webSocketOptions/,
    ],
    [
      'one beside Origin',
      { webSocketOptions: { headers: { Origin: ORIGIN, a: 'b' } } },
      /webSocketOptions/,
    ],
    ['pairs', { webSocketOptions: { headers: [['a', 'b']] } }, /webSocketOptions/],
    ['Headers', { webSocketOptions: { headers: new Headers({ a: 'b' }) } }, /webSocketOptions/],
    ['an agent', { webSocketOptions: { agent: {} } }, /webSocketOptions/],
  ])('the constructor throws for %s', (_name, given, text) => {
    here()
    expect(() => make(given)).toThrow(TypeError)
    expect(() => make(given)).toThrow(text)
    expect(() => make(given)).not.toThrow(/secret-4711/)
  })

  it.each([
    { headers: { Origin: ORIGIN } },
    { headers: { origin: ORIGIN } },
    { headers: new Headers({ Origin: ORIGIN }) },
    { headers: [['Origin', ORIGIN]] },
  ])('an Origin alone is ignored, with one warning: %j', (webSocketOptions) => {
    here()
    const { warnings } = make({ webSocketOptions })
    expect(warnings).toEqual([expect.stringMatching(/webSocketOptions.*ignored/)])
  })

  it('nothing is said where nothing is given', () => {
    here()
    expect(make({}).warnings).toEqual([])
  })
})

it.each([
  ['viaHeader', { transmission: viaHeader() }],
  ['an Origin', { webSocketOptions: { headers: { Origin: ORIGIN } } }],
  ['an agent', { webSocketOptions: { agent: undefined } }],
])('in Node nothing is refused: %s', (_, given) => {
  expect(make(given).warnings).toEqual([])
})

/** Its second argument is text, or a list of texts, as WebIDL says: happy-dom's, Electron's, Workers'. */
class PageSocket extends UndiciSocket {
  constructor(url: string, protocols: unknown = []) {
    super(url, Array.isArray(protocols) ? protocols.map(String) : [String(protocols)])
  }
}

const settled = async (given: Partial<AuthedSocketOptions>) => {
  const server = await startBareServer()
  onTestFinished(() => server.close())
  const { socket, warnings } = make(
    { WebSocket: PageSocket, retry: { scale: 0.01 }, ...given },
    server.url,
  )
  const error = await socket.connect().then(
    () => undefined,
    (cause: Error) => cause,
  )
  return { socket, server, warnings, error }
}

describe('a WebSocket of pages in what looks like Node', () => {
  it.each([
    ['viaHeader', { transmission: viaHeader() }, /takes no headers.*transmission/],
    ['viaCookie', { transmission: viaCookie() }, /takes no headers.*transmission/],
    [
      'a header',
      { webSocketOptions: { headers: { 'X-Key': 'secret-4711' } } },
      /takes no headers.*webSocketOptions/,
    ],
  ])('stops at the first dial for %s', async (_, given, text) => {
    const { socket, server, error } = await settled(given)
    expect(error?.message).toMatch(text)
    expect(error?.cause).toBeInstanceOf(TypeError)
    expect(String(error?.cause)).toMatch(text)
    expect(socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect(server.handshakes).toHaveLength(0)
    expect(`${error?.stack}`).not.toContain('secret-4711')
  })

  it('leaves an Origin out, with one warning', async () => {
    const { socket, warnings, server } = await settled({
      webSocketOptions: { headers: { Origin: ORIGIN } },
    })
    expect(socket.state).toBe('connected')
    await socket.reconnect()
    expect(server.handshakes).toHaveLength(2)
    expect(warnings).toEqual([expect.stringMatching(/webSocketOptions.*ignored/)])
  })
})

it('a constructor that throws is named, and its text, which may hold the URL, is not', async () => {
  class Broken {
    readyState = 3
    constructor(url: string) {
      throw new SyntaxError(`no good: ${url}`)
    }
    close() {}
  }
  const { error } = await settled({ WebSocket: Broken })
  expect(error?.message).toMatch(/could not be made \(SyntaxError\)/)
  expect(`${error?.stack} ${error?.cause}`).not.toContain('secret-4711')
})
