/** A rotating backend over real HTTP: a refresh token that comes twice is refused, as is its family. */
import { deferred, jwt, type Received, type Reply, serve } from './support.ts'

export const rotatingBackend = async (
  options: { cookie?: boolean; keepRefresh?: boolean } = {},
) => {
  let n = 0
  let alive = new Set<string>()
  const used: string[] = []
  const control = {
    before: undefined as (() => Promise<Reply | undefined>) | undefined,
    after: undefined as (() => Promise<void>) | undefined,
  }
  const issue = (rotate: boolean): Reply => {
    n++
    const refresh = `refresh-canary-${n}`
    if (rotate) alive.add(refresh)
    const now = Math.floor(Date.now() / 1_000)
    const access = jwt({ iat: now, exp: now + 300, user_id: 1, jti: `access-canary-${n}` })
    if (!options.cookie) return { body: { access, ...(rotate && { refresh }) } }
    const set = [`refresh_token=${refresh}; Path=/; HttpOnly`, `csrftoken=csrf-${n}; Path=/`]
    return { body: { access }, headers: { 'set-cookie': set } }
  }
  const cookie = (request: Received, name: string) =>
    request.headers.cookie
      ?.split('; ')
      .find((pair) => pair.startsWith(`${name}=`))
      ?.slice(name.length + 1)
  const refresh = (request: Received): Reply => {
    const csrf = cookie(request, 'csrftoken')
    if (options.cookie && (!csrf || request.headers['x-csrftoken'] !== csrf)) {
      return { status: 403, body: '<html>CSRF</html>' }
    }
    const sent = options.cookie
      ? cookie(request, 'refresh_token')
      : JSON.parse(request.body || '{}').refresh
    used.push(String(sent))
    if (!alive.has(String(sent))) {
      alive = new Set()
      return { status: 401, body: { detail: 'Token is blacklisted', code: 'token_not_valid' } }
    }
    if (options.keepRefresh) return issue(false)
    alive.delete(String(sent))
    return issue(true)
  }
  const route = (request: Received): Reply => {
    if (request.path === '/api/token/') {
      const { username, password } = JSON.parse(request.body)
      return username === 'alice' && password === 'correct-horse'
        ? issue(true)
        : { status: 401, body: { detail: 'No active account found' } }
    }
    if (request.path === '/api/token/refresh/') return refresh(request)
    if (request.path === '/api/token/blacklist/') {
      alive.delete(cookie(request, 'refresh_token') ?? JSON.parse(request.body || '{}').refresh)
      return { body: {} }
    }
    return { status: 404, body: { detail: 'Not found' } }
  }
  const server = await serve(async (request) => {
    const early = await control.before?.()
    if (early) return early
    const reply = route(request)
    await control.after?.()
    return reply
  })
  return {
    ...server,
    control,
    used,
    get alive() {
      return [...alive]
    },
    revokeAll: () => {
      alive = new Set()
    },
    options: {
      obtain: `${server.origin}/api/token/`,
      refresh: `${server.origin}/api/token/refresh/`,
      revoke: `${server.origin}/api/token/blacklist/`,
    },
    /** The answer waits until `resolve`, while the server has rotated already. */
    holdAnswer: () => {
      const gate = deferred()
      control.after = () => gate.promise
      return () => {
        control.after = undefined
        gate.resolve()
      }
    },
    requestsTo: (path: string) => server.received.filter((request) => request.path === path),
  }
}

export const ALICE = { username: 'alice', password: 'correct-horse' }
