import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TokenFault } from './faults.ts'
import type { Reply } from './http.ts'
import { bearerOf, cookieOf, readRecord, sendReply } from './http.ts'
import { stringOf } from './json.ts'
import type { ServerState } from './state.ts'
import { type Outcome, type Pair, TICKET_MS, type TokenRefusal, type Tokens } from './tokens.ts'

interface Endpoint {
  counts: 'obtain' | 'refresh' | 'ticket' | 'neither'
  run(request: IncomingMessage): Promise<Reply>
}

export type TokenEndpoints = (
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => boolean

const COOKIE_PATH = '/api/cookie/'

function refused(status: number, refusal: TokenRefusal | { detail: string }): Reply {
  // The scheme that simplejwt names; browsers show no dialog for it.
  const headers = { 'WWW-Authenticate': 'Bearer realm="api"' }
  return status === 401 ? { status, body: refusal, headers } : { status, body: refusal }
}

function answer(outcome: Outcome, success: (pair: Pair) => Reply): Reply {
  return outcome.ok ? success(outcome.pair) : refused(401, outcome.refusal)
}

/** The named text fields of a JSON body, or the refusal in the dialect of Django REST framework. */
async function readFields<Name extends string>(
  request: IncomingMessage,
  ...names: Name[]
): Promise<{ ok: true; fields: Record<Name, string> } | { ok: false; reply: Reply }> {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
    return { ok: false, reply: refused(415, { detail: 'Unsupported media type in request.' }) }
  }
  const body = await readRecord(request)
  if (body === undefined) return { ok: false, reply: refused(400, { detail: 'JSON parse error' }) }
  const fields: Partial<Record<Name, string>> = {}
  const missing: Record<string, string[]> = {}
  for (const name of names) {
    const value = stringOf(body, name)
    if (value === undefined) missing[name] = ['This field is required.']
    else fields[name] = value
  }
  if (Object.keys(missing).length > 0) return { ok: false, reply: { status: 400, body: missing } }
  return { ok: true, fields: fields as Record<Name, string> }
}

function jsonEndpoints(tokens: Tokens): Record<string, Endpoint> {
  const asBody = (pair: Pair): Reply => ({ status: 200, body: pair })
  return {
    '/api/token/': {
      counts: 'obtain',
      async run(request) {
        const read = await readFields(request, 'username', 'password')
        if (!read.ok) return read.reply
        return answer(await tokens.obtain(read.fields.username, read.fields.password), asBody)
      },
    },
    '/api/token/refresh/': {
      counts: 'refresh',
      async run(request) {
        const read = await readFields(request, 'refresh')
        return read.ok ? answer(await tokens.refresh(read.fields.refresh), asBody) : read.reply
      },
    },
    '/api/token/revoke/': {
      counts: 'neither',
      async run(request) {
        const read = await readFields(request, 'refresh')
        if (!read.ok) return read.reply
        const refusal = await tokens.revoke(read.fields.refresh)
        return refusal === undefined ? { status: 200, body: {} } : refused(401, refusal)
      },
    },
  }
}

function cookieEndpoints(tokens: Tokens): Record<string, Endpoint> {
  const asCookies = (pair: Pair): Reply => ({
    status: 200,
    body: { access: pair.access },
    headers: {
      'Set-Cookie': [
        `refresh_token=${pair.refresh}; HttpOnly; Path=${COOKIE_PATH}; SameSite=Lax`,
        `csrftoken=${randomBytes(16).toString('hex')}; Path=/; SameSite=Lax`,
      ],
    },
  })
  return {
    '/api/cookie/token/': {
      counts: 'obtain',
      async run(request) {
        const read = await readFields(request, 'username', 'password')
        if (!read.ok) return read.reply
        return answer(await tokens.obtain(read.fields.username, read.fields.password), asCookies)
      },
    },
    '/api/cookie/refresh/': {
      counts: 'refresh',
      async run(request) {
        const expected = cookieOf(request, 'csrftoken')
        if (expected === undefined || request.headers['x-csrftoken'] !== expected) {
          return refused(403, { detail: 'CSRF Failed: CSRF token missing or incorrect.' })
        }
        const refresh = cookieOf(request, 'refresh_token') ?? ''
        return answer(await tokens.refresh(refresh), asCookies)
      },
    },
  }
}

function ticketEndpoints(tokens: Tokens): Record<string, Endpoint> {
  return {
    '/api/ticket/': {
      counts: 'ticket',
      async run(request) {
        const verdict = await tokens.verify(bearerOf(request) ?? '')
        if (!verdict.ok)
          return refused(401, { detail: 'Token is invalid or expired', code: 'token_not_valid' })
        const ticket = tokens.ticket(verdict)
        return { status: 200, body: { ticket, expires_in: TICKET_MS / 1000 } }
      },
    },
  }
}

async function respond(
  endpoint: Endpoint,
  fault: TokenFault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (fault?.kind) {
    case 'hang':
      return
    case 'drop':
      if (fault.processed === true) await endpoint.run(request)
      request.socket.destroy()
      return
    case 'status':
      response.writeHead(fault.status, fault.headers ?? {}).end(fault.body)
      return
    case 'redirect':
      // 307 keeps method and body: the case in which a client would hand its secret on.
      response.writeHead(fault.status ?? 307, { Location: fault.to }).end()
      return
    case 'late': {
      const reply = await endpoint.run(request)
      setTimeout(() => sendReply(response, reply), fault.ms)
      return
    }
    case undefined:
      sendReply(response, await endpoint.run(request))
  }
}

/** Answers the request when its path is a token endpoint; otherwise says false. */
export function createTokenEndpoints(state: ServerState, tokens: Tokens): TokenEndpoints {
  const endpoints = new Map(
    Object.entries({
      ...jsonEndpoints(tokens),
      ...cookieEndpoints(tokens),
      ...ticketEndpoints(tokens),
    }),
  )
  return (path, request, response) => {
    const endpoint = endpoints.get(path)
    if (endpoint === undefined) return false
    if (request.method !== 'POST') {
      sendReply(response, {
        status: 405,
        body: { detail: `Method "${request.method}" not allowed.` },
      })
      return true
    }
    if (endpoint.counts === 'ticket') state.counts.ticketRequests += 1
    else if (endpoint.counts !== 'neither') state.counts.tokenRequests += 1
    if (endpoint.counts === 'refresh') state.counts.refreshRequests += 1
    respond(endpoint, state.faults.takeToken(), request, response).catch(() =>
      request.socket.destroy(),
    )
    return true
  }
}
