/** Fakes of servers that the recipes are for, by what their documentation says that each answers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'

interface Answer {
  readonly status?: number
  readonly body: object
  readonly cookies?: readonly string[]
}
type View = (request: {
  body: Record<string, unknown>
  cookies: Map<string, string>
}) => Promise<Answer>

/** The reference server, with views of another one beside its own. */
export const serverWith = async (
  viewsOf: (server: ReferenceServer) => Record<string, View>,
): Promise<ReferenceServer & { readonly requests: string[] }> => {
  const requests: string[] = []
  let views: Record<string, View> = {}
  const server = await createReferenceServer({
    fallback: (request, response) => {
      const path = request.url ?? ''
      requests.push(`${request.method} ${path}`)
      respond(views[path], request, response).catch(() => request.socket.destroy())
    },
  })
  views = viewsOf(server)
  onTestFinished(() => server.close())
  return { ...server, requests }
}

async function respond(
  view: View | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = ''
  for await (const chunk of request) text += chunk
  const cookies = new Map(
    (request.headers.cookie ?? '').split('; ').map((pair): [string, string] => {
      const [name = '', value = ''] = pair.split('=')
      return [name, value]
    }),
  )
  const known = view && (await view({ body: JSON.parse(text || '{}'), cookies }))
  const { status = 200, body, cookies: set = [] } = known ?? { status: 404, body: {} }
  response.writeHead(status, { 'content-type': 'application/json', 'set-cookie': [...set] })
  response.end(JSON.stringify(body))
}

const isAlice = ({ username, password }: Record<string, unknown>): boolean =>
  username === 'alice' && password === 'correct-horse'

const NOT_VALID = { detail: 'Token is blacklisted', code: 'token_not_valid' }

/**
 * dj-rest-auth with `USE_JWT`, `JWT_AUTH_HTTPONLY` and rotation: the refresh token is in a cookie, and empty in the body.
 *
 * @see https://dj-rest-auth.readthedocs.io, API endpoints and JWT cookies; dj_rest_auth/views.py, jwt_auth.py
 */
export const djRestAuth = () => {
  let current = ''
  return serverWith((server) => {
    const pair = async () => {
      const { access, refresh } = await server.mint({ user: 'alice' })
      current = refresh
      const cookie = (name: string, value: string) =>
        `${name}=${value}; HttpOnly; Path=/; SameSite=Lax`
      return { access, cookies: [cookie('access', access), cookie('refresh', refresh)] }
    }
    return {
      '/dj-rest-auth/login/': async ({ body }) => {
        if (!isAlice(body))
          return {
            status: 400,
            body: { non_field_errors: ['Unable to log in with provided credentials.'] },
          }
        const { access, cookies } = await pair()
        return { body: { access, refresh: '', user: { pk: 1, username: 'alice' } }, cookies }
      },
      '/dj-rest-auth/token/refresh/': async ({ cookies }) => {
        const sent = cookies.get('refresh')
        if (sent === undefined)
          return {
            status: 401,
            body: { detail: 'No valid refresh token found.', code: 'token_not_valid' },
          }
        if (sent !== current) return { status: 401, body: NOT_VALID }
        const next = await pair()
        return {
          body: { access: next.access, access_expiration: new Date().toISOString() },
          cookies: next.cookies,
        }
      },
      '/dj-rest-auth/logout/': async ({ cookies }) => {
        const known = cookies.get('refresh') === current
        current = ''
        return known
          ? {
              body: { detail: 'Successfully logged out.' },
              cookies: ['access=; Max-Age=0', 'refresh=; Max-Age=0'],
            }
          : { status: 401, body: { detail: 'Refresh token was not included in cookie data.' } }
      },
    }
  })
}

/**
 * djoser with simplejwt, without rotation: a refresh brings an access token alone.
 *
 * @see https://djoser.readthedocs.io/en/latest/jwt_endpoints.html
 */
export const djoser = () =>
  serverWith((server) => {
    let refresh = ''
    return {
      '/auth/jwt/create/': async ({ body }) => {
        if (!isAlice(body))
          return {
            status: 401,
            body: { detail: 'No active account found with the given credentials' },
          }
        const pair = await server.mint({ user: 'alice' })
        refresh = pair.refresh
        return { body: pair }
      },
      '/auth/jwt/refresh/': async ({ body }) => {
        if (body['refresh'] !== refresh)
          return {
            status: 401,
            body: { detail: 'Token is invalid or expired', code: 'token_not_valid' },
          }
        const { access } = await server.mint({ user: 'alice' })
        return { body: { access } }
      },
    }
  })

/**
 * A WebSocket in an Edge Function: `?jwt=`, or the subprotocol `jwt-<token>`, is checked before the upgrade, and a bad
 * one answered with 403. It echoes the first subprotocol.
 *
 * @see https://supabase.com/docs/guides/functions/websockets, authentication
 */
export const edgeFunction = async (isGood: (jwt: string) => boolean): Promise<string> => {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    const inQuery = new URL(request.url ?? '', 'http://edge').searchParams.get('jwt')
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/, ?/)
    const jwt = inQuery ?? offered.find((word) => word.startsWith('jwt-'))?.slice(4)
    if (jwt !== undefined && isGood(jwt)) {
      sockets.handleUpgrade(request, socket, head, (accepted) =>
        accepted.on('message', () => accepted.send(JSON.stringify('now'))),
      )
    } else socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/functions/v1/chat`
}
