/**
 * Node with the globals of React Native 0.86, as its sources have them: `react-native.mjs <server> <polyfills>`. Its own
 * `URL` knows no host of `ws:`; its signals come from the package abort-controller, without `reason` and the younger methods.
 */
import { createRequire } from 'node:module'
import { WebSocket as Ws } from 'ws'
import { story } from './story.mjs'

const [server, polyfills] = process.argv.slice(2)
const has = (name) => polyfills.split(',').includes(name)
const { write } = process.stdout
const say = (value) => write.call(stdout, `${JSON.stringify(value)}\n`)
const { stdout } = process
const require = createRequire(import.meta.url)

const set = (name, value) =>
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })

const NodeURL = URL
/** Reads what is `http:` as it should; of `ws:` it knows the protocol alone. Nothing can be set. */
class NativeUrl {
  #url
  constructor(url, base) {
    this.#url = new NodeURL(`${url}`, base && `${base}`)
    const isHttp = this.#url.protocol.startsWith('http')
    for (const name of [
      'host',
      'hostname',
      'port',
      'origin',
      'pathname',
      'search',
      'hash',
      'username',
      'password',
    ])
      Object.defineProperty(this, name, { value: isHttp ? this.#url[name] : '' })
  }
  get href() {
    return this.#url.href
  }
  get protocol() {
    return this.#url.protocol
  }
  toString() {
    return this.href
  }
}

/** Takes headers third, and shows no `on` and no status. */
class NativeSocket extends EventTarget {
  binaryType = 'blob'
  #ws
  constructor(url, protocols, { headers } = {}) {
    super()
    this.#ws = new Ws(url, protocols ?? [], { headers })
    this.#ws.binaryType = 'arraybuffer'
    for (const type of ['open', 'close', 'message', 'error'])
      this.#ws.addEventListener(type, ({ code, reason, data }) =>
        this.dispatchEvent(Object.assign(new Event(type), { code, reason, data })),
      )
  }
  get readyState() {
    return this.#ws.readyState
  }
  get protocol() {
    return this.#ws.protocol || null
  }
  send(data) {
    this.#ws.send(data)
  }
  close(code, reason) {
    this.#ws.close(code, reason)
  }
}

// As by whatwg-fetch: no streams. Node's own needs what is taken away below, so it is loaded before.
const nodeFetch = fetch
await (await nodeFetch('data:,')).text()
set('fetch', async (input, { signal: _, cache: __, redirect: ___, ...init } = {}) => {
  const response = await nodeFetch(`${input}`, init)
  const { ok, status, headers, url } = response
  const text = await response.text()
  return { ok, status, headers, url, text: async () => text, json: async () => JSON.parse(text) }
})
delete AbortSignal.timeout
delete AbortSignal.any
delete AbortSignal.prototype.throwIfAborted
Object.defineProperty(AbortSignal.prototype, 'reason', { value: undefined })
for (const name of ['BroadcastChannel', 'structuredClone']) set(name, undefined)
set('WebSocket', NativeSocket)
set('navigator', { product: 'ReactNative' })
set('process', { env: {}, nextTick: process.nextTick })
if (!has('url')) set('URL', NativeUrl)
if (!has('crypto')) set('crypto', undefined)

const sdk = require('../../dist/index.native.cjs')

const byHeader = async () => {
  const socket = new sdk.AuthedSocket({
    url: `${server.replace('http', 'ws')}/ws/plain`,
    auth: () => 'token',
    transmission: sdk.viaHeader(),
    protocol: sdk.plain(),
    WebSocket: class extends NativeSocket {
      constructor(url, protocols, options) {
        super(url, protocols, options)
        sent.push(options.headers)
      }
    },
    webSocketOptions: { headers: { Origin: 'https://app.example' } },
  })
  const sent = []
  socket.connect().catch(() => {})
  while (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await socket.disconnect()
  return sent[0]
}

const aborted = async () => {
  const socket = new sdk.AuthedSocket({
    url: 'ws://127.0.0.1:9/',
    auth: () => new Promise(() => {}),
    transmission: sdk.viaSubprotocol(),
    protocol: sdk.plain(),
  })
  const controller = new AbortController()
  socket.connect().catch(() => {})
  const sent = socket.send(1, { signal: controller.signal }).then(
    () => 'sent',
    ({ name }) => name,
  )
  controller.abort()
  const end = await sent
  await socket.disconnect()
  return end
}

const refused = async () => {
  const socket = new sdk.AuthedSocket({
    url: 'ws://127.0.0.1:9/',
    auth: () => {
      throw new sdk.TokenRefusedError('signed out')
    },
    transmission: sdk.viaSubprotocol(),
    protocol: sdk.plain(),
  })
  return socket.connect().then(
    () => 'connected',
    ({ code }) => code,
  )
}

try {
  const told = await story(sdk, { server })
  say({ ...told, headers: await byHeader(), aborted: await aborted(), refused: await refused() })
} catch (error) {
  say({ error: error.message })
}
