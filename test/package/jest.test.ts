/** As Jest loads CommonJS: by `vm`, where `import()` is not there. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import vm from 'node:vm'
import { expect, it, onTestFinished } from 'vitest'
import type * as Sdk from '../../src/index.ts'
import { startBareServer } from '../shell/dialing.ts'

it('finds ws where there is no WebSocket and no import()', async () => {
  const file = join(import.meta.dirname, '../../dist/index.cjs')
  const wrap = vm.runInThisContext(
    `(function (require, module, exports, __filename, WebSocket) {${readFileSync(file, 'utf8')}\n})`,
  ) as (...given: unknown[]) => void
  const module = { exports: {} }
  const { WebSocket: own } = globalThis
  Reflect.deleteProperty(globalThis, 'WebSocket')
  onTestFinished(() => {
    if (own) globalThis.WebSocket = own
  })
  wrap(createRequire(file), module, module.exports, file)
  // What the file exports.
  const { AuthedSocket, plain, viaSubprotocol } = module.exports as typeof Sdk
  const server = await startBareServer()
  onTestFinished(() => server.close())
  const socket = new AuthedSocket({
    url: server.url,
    auth: () => 'secret',
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  onTestFinished(() => socket.disconnect())
  await socket.connect()
  expect(server.handshakes).toHaveLength(1)
})
