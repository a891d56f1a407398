import { WebSocket as UndiciSocket } from 'undici'
import { describe, expectTypeOf, it } from 'vitest'
import { WebSocket as WsSocket } from 'ws'
import type { AuthedSocketOptions, WebSocketConstructor } from '../../src/index.ts'

describe('the option WebSocket', () => {
  it('takes what users have, without a cast', () => {
    expectTypeOf<typeof globalThis.WebSocket>().toExtend<WebSocketConstructor>()
    expectTypeOf<typeof WsSocket>().toExtend<WebSocketConstructor>()
    expectTypeOf<typeof UndiciSocket>().toExtend<WebSocketConstructor>()
    const options: Pick<AuthedSocketOptions, 'WebSocket'>[] = [
      { WebSocket: WsSocket },
      { WebSocket: UndiciSocket },
      { WebSocket: WebSocket },
    ]
    expectTypeOf(options).not.toBeAny()
    // @ts-expect-error no socket
    options.push({ WebSocket: Map })
  })
})
