/** Two people on one client, one after the other, and servers that do what they can to mix them up. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { PasswordCredentials, Session } from '../../src/index.ts'

export const as = (username: string): PasswordCredentials => ({
  username,
  password: 'correct-horse',
})

/** What must never happen, as it happened. */
export class Witness {
  readonly violations: string[] = []
  readonly counts = { sent: 0, arrived: 0, seen: 0, rejected: 0, switches: 0 }
  /** Whose turn it is: set when the session says so, which is when it is so. */
  user = ''
  #next = ''

  follow(session: Session<PasswordCredentials>): void {
    session.on('signedout', () => {
      this.user = ''
    })
    session.on('signedin', () => {
      this.user = this.#next
    })
  }

  expect(user: string): void {
    this.#next = user
  }

  /** An event for somebody reached the client. */
  sees(user: string): void {
    this.counts.seen++
    if (user !== this.user) this.violations.push(`an event for ${user} was seen by ${this.user}`)
  }

  /** A frame arrived at the server on the socket of `owner`. */
  arrives(by: string, owner: string): void {
    this.counts.arrived++
    if (by !== owner) this.violations.push(`a frame of ${by} was sent as ${owner}`)
  }

  /** Watches a send of whose turn it is. */
  watch(send: (by: string) => Promise<unknown>): void {
    const by = this.user
    this.counts.sent++
    send(by).then(
      () => {
        if (by !== this.user) this.violations.push(`${this.user} saw a send of ${by} succeed`)
      },
      () => {
        this.counts.rejected++
      },
    )
  }
}

const textOf = (data: unknown): string => (data instanceof Buffer ? data.toString() : String(data))

/**
 * Speaks the moment a socket opens, at odd moments, and for as long as it can after the client has closed.
 * Answers late, and drops sockets so that queues fill.
 */
export const adversary = async (witness: Witness, roll: () => number) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const say = (socket: WebSocket, user: string) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify({ for: user }))
  }
  server.on('connection', (socket, request) => {
    const token = new URL(request.url ?? '', 'ws://x').searchParams.get('token') ?? ''
    const user = userIn(token)
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const { by } = JSON.parse(textOf(data)) as { by: string }
      witness.arrives(by, user)
      setTimeout(() => say(socket, user), roll() * 20)
    })
    for (let event = 0; event < 3; event++) say(socket, user)
    const late = setInterval(() => say(socket, user), 1 + roll() * 5)
    socket.on('close', () => clearInterval(late))
    if (roll() < 0.3) setTimeout(() => socket.terminate(), roll() * 30)
  })
  return {
    url: `ws://127.0.0.1:${port}/`,
    drop: () => {
      for (const socket of server.clients) socket.terminate()
    },
    close: () => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
let minted = 0

/** `opaque`: the client cannot know whose it is. */
export const mint = (user: string, form: 'jwt' | 'opaque'): string =>
  form === 'jwt'
    ? `${encode({ alg: 'none' })}.${encode({ sub: user, jti: ++minted })}.x`
    : `opaque-${user}-${++minted}`

const userIn = (token: string): string => {
  if (token.startsWith('opaque-')) return token.split('-')[1] ?? ''
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return (claims as { sub: string }).sub
}

/** A token endpoint without a server: its answers take their time. */
export const tokenFetch =
  (form: 'jwt' | 'opaque', roll: () => number): typeof fetch =>
  async (_, init) => {
    const body = JSON.parse(String(init?.body)) as { username?: string; refresh?: string }
    const user = body.username ?? body.refresh ?? ''
    await new Promise((resolve) => setTimeout(resolve, roll() * 5))
    return Response.json({ access: mint(user, form), refresh: user })
  }
