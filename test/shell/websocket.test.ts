import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket as WsSocket } from 'ws'
import { dial } from '../../src/shell/dialer.ts'
import { findWebSocket, type WebSocketConstructor } from '../../src/shell/websocket.ts'

describe('findWebSocket', () => {
  it('takes the global one where there is one', async () => {
    class Global {}
    vi.stubGlobal('WebSocket', Global)
    expect(await findWebSocket()).toBe(Global)
  })

  it('takes the package ws where there is none, as on Node 20', async () => {
    vi.stubGlobal('WebSocket', undefined)
    expect(await findWebSocket()).toBe(WsSocket)
  })

  it('says what to do where there is neither', async () => {
    vi.stubGlobal('WebSocket', undefined)
    vi.doMock('ws', () => {
      throw new Error("Cannot find package 'ws'")
    })
    await expect(findWebSocket()).rejects.toThrow(TypeError)
    await expect(findWebSocket()).rejects.toThrow(/npm install ws.*option `WebSocket`/)
    vi.doUnmock('ws')
  })
})

/** As Node 22.5 and later have one: the global one is that of `node:http`. */
class NodesOwn {}
class Replaced {}
/** As far as it is looked at: the peer range begins where `ws` learned to take Blobs. */
class OldWs {
  get binaryType() {
    return 'nodebuffer'
  }
  set binaryType(_: string) {}
  ping() {}
}
class BunsShim {}

const onNode = (http: object, global: unknown, ws: unknown = WsSocket, versions: object = {}) => {
  vi.stubGlobal('WebSocket', global)
  vi.stubGlobal('process', {
    ...process,
    versions: { ...process.versions, ...versions },
    getBuiltinModule: (name: string) => (name === 'node:http' ? http : undefined),
  })
  vi.doMock('ws', () => ({ WebSocket: ws }))
  onTestFinished(() => {
    vi.doUnmock('ws')
  })
}

describe('where Node has a WebSocket of its own', () => {
  const own = { WebSocket: NodesOwn }
  it.each([
    ['ws is taken', own, NodesOwn, WsSocket, {}, undefined, WsSocket],
    ['a ws before the peer range is not', own, NodesOwn, OldWs, {}, undefined, NodesOwn],
    ['nor is one without the name, as ws 7', own, NodesOwn, null, {}, undefined, NodesOwn],
    ['nor before one that somebody put there', own, Replaced, WsSocket, {}, undefined, Replaced],
    ['nor where http tells none', {}, NodesOwn, WsSocket, {}, undefined, NodesOwn],
    ['nor in Bun', own, NodesOwn, BunsShim, { bun: '1.4.5' }, undefined, NodesOwn],
    ['nor for options of undici', own, NodesOwn, WsSocket, {}, { dispatcher: {} }, NodesOwn],
    ['but for other options it is', own, NodesOwn, WsSocket, {}, { headers: {} }, WsSocket],
  ])('%s', async (_, http, global, ws, versions, options, taken) => {
    onNode(http, global, ws, versions)
    expect(await findWebSocket(options)).toBe(taken)
  })

  it('the own one is taken where ws is not installed', async () => {
    onNode(own, NodesOwn)
    vi.doMock('ws', () => {
      throw new Error("Cannot find package 'ws'")
    })
    expect(await findWebSocket()).toBe(NodesOwn)
  })
})

it.each([
  ['ws', WsSocket, /dispatcher.*undici.*agent/],
  ['another', Replaced, undefined],
])('a dispatcher is told to %s', async (_, Native, error) => {
  const cause = await new Promise<unknown>((resolve) => {
    const socket = dial(
      { url: new URL('ws://127.0.0.1:9/'), protocols: [], headers: {} },
      Native as unknown as WebSocketConstructor,
      { dispatcher: {} },
      {
        opened: () => {},
        frame: () => {},
        ignored: () => {},
        closing: () => {},
        ended: (end) => resolve(end.kind === 'threw' ? end.cause : end),
      },
    )
    onTestFinished(() => socket.close())
  })
  if (error) {
    expect(cause).toBeInstanceOf(TypeError)
    expect(String(cause)).toMatch(error)
  } else expect(String(cause)).not.toMatch(/dispatcher/)
})
