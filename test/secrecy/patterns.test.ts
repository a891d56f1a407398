/** `RegExp.$_` and its like keep what a pattern was last run over: no pattern of ours is run over a token. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AuthedSocket, plain, simpleJwt, type WebSocketConstructor } from '../../src/index.ts'
import { Canaries } from './canaries.ts'
import { CANARIES, chance, eachOf } from './size.ts'
import { transmissionOf, WAYS } from './ways.ts'

const { garbage } = chance(4)
const EACH = Math.ceil(CANARIES / 50)

const seen: string[] = []
/** The last input, match, and what was around it. */
const look = (): void => {
  for (const name of ['$_', '$&', '$`', "$'", '$+', '$1', '$2'])
    seen.push(String(Reflect.get(RegExp, name)))
}

/** Runs no pattern of its own, as the libraries of Node do; looks at each moment of a dial. */
class Silent {
  readonly protocol: string
  readyState = 0
  binaryType = 'arraybuffer'
  readonly #listeners = new Map<string, (event: object) => void>()

  constructor(_url: string, [echoed = '']: readonly string[] = []) {
    this.protocol = echoed
    look()
    queueMicrotask(() => {
      this.readyState = 1
      this.#say('open')
      this.readyState = 3
      this.#say('close', { code: 4003, reason: 'no', wasClean: true })
    })
  }

  addEventListener(name: string, listener: (event: object) => void): void {
    this.#listeners.set(name, listener)
  }
  removeEventListener(): void {}
  close(): void {}
  send(): void {
    look()
  }

  #say(type: string, event: object = {}): void {
    this.#listeners.get(type)?.({ type, target: this, ...event })
    look()
  }
}

const WebSocket = Silent as unknown as WebSocketConstructor

const canaries = new Canaries()
beforeAll(() => {
  ;/seed/.exec('a seed that must be replaced by whatever comes')
})
afterEach(() => {
  seen.length = 0
})

describe('no pattern has seen a token', () => {
  it.each(WAYS)('that travels by %s, or cannot', async (way) => {
    await eachOf(Array.from({ length: EACH }), 1, async (_, index) => {
      const token = garbage()
      canaries.add({ token, label: way })
      const socket = new AuthedSocket({
        url: 'ws://127.0.0.1:9/ws',
        auth: () => (index % 2 === 0 ? token : `${token} \n`),
        transmission: transmissionOf(way),
        protocol: plain(),
        retry: { scale: 0.001 },
        WebSocket,
      })
      await socket.connect().catch(() => {})
      look()
      void [String(socket.status), JSON.stringify(socket.status), socket.explain()]
      look()
    })
    expect(seen.length).toBeGreaterThan(EACH)
    expect([...canaries.in(seen.join('\n'))]).toEqual([])
  })

  it('that a session gets, renews and forgets', async () => {
    const tokens: string[] = []
    const fetch: typeof globalThis.fetch = async () => {
      look()
      const [access, refresh] = [garbage(), garbage()]
      tokens.push(access, refresh)
      return {
        ok: true,
        status: 200,
        headers: new Headers(),
        json: async () => ({ access, refresh }),
        text: async () => JSON.stringify({ access, refresh }),
      } as Response
    }
    await eachOf(Array.from({ length: EACH }), 1, async () => {
      const session = simpleJwt({
        obtain: 'http://127.0.0.1:9/obtain',
        refresh: 'http://127.0.0.1:9/refresh',
        fetch,
      })
      await session.login({ username: 'alice', password: 'secret' })
      look()
      const socket = new AuthedSocket({
        url: 'ws://127.0.0.1:9/ws',
        auth: session,
        transmission: transmissionOf('pair'),
        protocol: plain(),
        retry: { scale: 0.001 },
        WebSocket,
      })
      await socket.connect().catch(() => {})
      look()
      await session.logout()
      look()
    })
    for (const token of tokens) canaries.add({ token, label: 'session' })
    expect(tokens.length).toBeGreaterThanOrEqual(4 * EACH)
    expect([...canaries.in(seen.join('\n'))]).toEqual([])
  })
})
