import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonRecord } from './json.ts'
import { isRecord, parseJson } from './json.ts'
import { cookiesOf } from './transmissions.ts'

export interface Reply {
  status: number
  /** Sent as JSON; absent: no body. */
  body?: unknown
  headers?: Record<string, string | string[]>
}

const MAX_BODY_BYTES = 262_144

export async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The JSON object of a body; an empty body is an empty object. */
export async function readRecord(request: IncomingMessage): Promise<JsonRecord | undefined> {
  const text = await readText(request)
  if (text === '') return {}
  const value = text === undefined ? undefined : parseJson(text)
  return isRecord(value) ? value : undefined
}

export function bearerOf(request: IncomingMessage): string | undefined {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' ? token : undefined
}

export function cookieOf(request: IncomingMessage, name: string): string | undefined {
  return cookiesOf(request).get(name)
}

/** Every origin, because the pages of a test have a port of their own; loopback only. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers.origin
  response.setHeader('Vary', 'Origin')
  if (origin === undefined) return
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Allow-Credentials', 'true')
  response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, X-CSRFToken')
  response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, POST, OPTIONS')
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After')
}

export function sendReply(response: ServerResponse, reply: Reply): void {
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value)
  response.statusCode = reply.status
  if (reply.body === undefined) {
    response.end()
    return
  }
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(JSON.stringify(reply.body))
}
