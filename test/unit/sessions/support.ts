/** Real HTTP servers, one a test. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, expect } from 'vitest'
import type { TokenAnswer, TokenSource } from '../../../src/sessions/source.ts'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Reply {
  readonly status?: number
  readonly headers?: Record<string, string | string[]>
  /** A string travels as it is, everything else as JSON. */
  readonly body?: unknown
}

export interface TestServer {
  readonly origin: string
  readonly received: Received[]
}

type Answer = (request: Received) => Reply | Promise<Reply>

const closers: Array<() => void> = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const respond = (response: ServerResponse, { status = 200, headers = {}, body = {} }: Reply) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
}

export const serve = async (answer: Answer): Promise<TestServer> => {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const one: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: await bodyOf(request),
    }
    received.push(one)
    respond(response, await answer(one))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on TCP has an address of this kind.
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, received }
}

export const jwt = (claims: Record<string, unknown>): string => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ alg: 'HS256' })}.${encode(claims)}.c2lnbmF0dXJl`
}

export const ask = (source: TokenSource, fresh = true): Promise<TokenAnswer> =>
  source.request({ reason: 'renewal', fresh, signal: new AbortController().signal })

export const rejection = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`rejected with ${inspect(error)}, no error`)
  }
  throw new Error('did not reject')
}

/** Nothing that prints the value prints a secret. */
export const expectNoSecret = (value: unknown, secret: string) => {
  expect(inspect(value, { showHidden: true, depth: null })).not.toContain(secret)
  expect(JSON.stringify(value) ?? '').not.toContain(secret)
  if (!(value instanceof Error)) return
  expect(`${value.message} ${value.stack}`).not.toContain(secret)
  if (value.cause !== undefined) expectNoSecret(value.cause, secret)
}

export const deferred = <T = void>() => {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
