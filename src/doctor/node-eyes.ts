/**
 * Looks with Node's own HTTP client, which shows what a WebSocket hides: the stage at which a dial failed, the
 * status and the headers of an answer, and how the connection ended.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Handshake } from '../transmissions/transmission.ts'
import { httpOf, readAnswer } from './answer.ts'
import type { Dialed, DialOptions, Eyes } from './eyes.ts'
import type { Outcome, Stage } from './facts.ts'
import { failureOf } from './failure.ts'
import { type Crypto, wireOf } from './node-wire.ts'

interface Node {
  readonly http: Pick<typeof import('node:http'), 'request'>
  readonly https: Pick<typeof import('node:https'), 'request'>
  readonly crypto: Crypto
}

/** `undefined` in a browser. Not by `import`: bundlers for browsers would look for the modules. */
export const findNode = (): Node | undefined => {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> }
  if (typeof process?.getBuiltinModule !== 'function') return undefined
  return {
    http: process.getBuiltinModule('node:http'),
    https: process.getBuiltinModule('node:https'),
    crypto: process.getBuiltinModule('node:crypto'),
  }
}

/** Of the options of `ws`, those about the way to the host. The rest would be another handshake. */
const WAY_OPTIONS = [
  ...['agent', 'ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'],
  ...['checkServerIdentity', 'lookup', 'family', 'localAddress', 'minVersion', 'maxVersion'],
  ...['ciphers', 'secureContext', 'createConnection'],
]

/** An answer is read so far. */
const BODY_BYTES = 4_096
const BODY_MS = 1_000

export const nodeEyes = (node: Node, given: object | undefined): Eyes => {
  const way = Object.fromEntries(
    Object.entries(given ?? {}).filter(([name]) => WAY_OPTIONS.includes(name)),
  )
  return {
    sight: 'node',
    dial: (handshake, options) => new Dial(node, way).upgrade(handshake, options),
    get: (url, options) => new Dial(node, way).get(url, options),
  }
}

/** One request, and how far it came. */
class Dial {
  readonly #node: Node
  readonly #way: RequestOptions
  readonly #startedAt = Date.now()
  #stage: Stage = 'lookup'

  constructor(node: Node, way: RequestOptions) {
    this.#node = node
    this.#way = way
  }

  get(url: URL, options: Omit<DialOptions, 'heard'>): Promise<Outcome> {
    return new Promise((resolve) => {
      const request = this.#request(url, { Connection: 'close' }, options, resolve)
      request.on('response', (response) => this.#answer(url, response, request).then(resolve))
      request.end()
    })
  }

  upgrade({ url, protocols, headers }: Handshake, options: DialOptions): Promise<Dialed> {
    const { crypto } = this.#node
    const key = crypto.randomBytes(16).toString('base64')
    const upgrading = {
      ...headers,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
      ...(protocols.length > 0 && { 'Sec-WebSocket-Protocol': protocols.join(',') }),
    }
    return new Promise((resolve) => {
      const missed = (outcome: Outcome) => resolve({ kind: 'missed', outcome })
      const request = this.#request(url, upgrading, options, missed)
      request.on('upgrade', (response, socket: Socket, head) => {
        const wire = wireOf({ response, socket, head, key, crypto, heard: options.heard })
        resolve({ kind: 'wire', wire })
      })
      request.on('response', (response) => this.#answer(url, response, request).then(missed))
      request.end()
    })
  }

  /** A request that calls `failed` when it ends without an answer. */
  #request(
    url: URL,
    headers: Record<string, string>,
    { timeoutMs, signal }: Omit<DialOptions, 'heard'>,
    failed: (outcome: Outcome) => void,
  ): ClientRequest {
    const target = httpOf(url)
    if (isAddress(target.hostname)) this.#stage = 'connect'
    const { request: make } = target.protocol === 'https:' ? this.#node.https : this.#node.http
    const request = make(target, { agent: false, ...this.#way, method: 'GET', headers })
    const fail = (error: unknown) =>
      failed(failureOf(error, this.#stage, Date.now() - this.#startedAt))
    const timer = setTimeout(() => request.destroy(timeout()), timeoutMs)
    const abort = () => request.destroy(timeout())
    signal?.addEventListener('abort', abort, { once: true })
    request.on('socket', (socket) => this.#watch(socket, target.protocol === 'https:'))
    request.on('error', fail)
    request.on('information', ({ statusCode }) => {
      // A switch of protocols that does not say to which.
      if (statusCode === 101)
        request.destroy(Object.assign(new Error(), { code: 'HPE_NO_UPGRADE' }))
    })
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    for (const event of ['upgrade', 'response', 'close'] as const) request.once(event, done)
    return request
  }

  #watch(socket: Socket, secure: boolean): void {
    if (!socket.connecting) this.#stage = 'answer'
    socket.once('lookup', (error: Error | null) => {
      if (!error) this.#stage = 'connect'
    })
    socket.once('connect', () => {
      this.#stage = secure ? 'tls' : 'answer'
    })
    socket.once('secureConnect', () => {
      this.#stage = 'answer'
    })
  }

  async #answer(url: URL, response: IncomingMessage, request: ClientRequest): Promise<Outcome> {
    const body = await bodyOf(response)
    request.destroy()
    return readAnswer({
      status: response.statusCode ?? 0,
      reason: response.statusMessage ?? '',
      headers: textsOf(response),
      body,
      url,
      at: Date.now(),
    })
  }
}

const isAddress = (hostname: string): boolean =>
  hostname.startsWith('[') ||
  [...hostname].every((char) => char === '.' || (char >= '0' && char <= '9'))

const timeout = (): Error => Object.assign(new Error(), { code: 'ETIMEDOUT' })

/** Node joins repeated headers; lists remain for cookies only. */
const textsOf = ({ headers }: IncomingMessage): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `${value ?? ''}`]))

const bodyOf = (response: IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    let body = ''
    const done = () => {
      clearTimeout(timer)
      resolve(body.slice(0, BODY_BYTES))
    }
    const timer = setTimeout(done, BODY_MS)
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      body += text
      if (body.length >= BODY_BYTES) done()
    })
    for (const event of ['end', 'error', 'close', 'aborted']) response.once(event, done)
  })
