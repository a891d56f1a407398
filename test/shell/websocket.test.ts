import { describe, expect, it, vi } from 'vitest'
import { WebSocket as WsSocket } from 'ws'
import { findWebSocket } from '../../src/shell/websocket.ts'

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
