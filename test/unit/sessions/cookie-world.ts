/** Hosts of any name, which set cookies, and a session in Node that signs in at one of them. */
import { vi } from 'vitest'
import {
  AuthedSocket,
  type CookieSessionOptions,
  cookieSession,
  plain,
} from '../../../src/index.ts'
import type { Session } from '../../../src/sessions/session.ts'
import type { WebSocketConstructor } from '../../../src/shell/websocket.ts'

export const ALICE = { username: 'alice', password: 'correct-horse' }

/** Set by every login beside what a test sets, so that no login has brought nothing. */
const CONTROL = 'control=1; Path=/'

export interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Headers
}

type Answer = (asked: Asked) => readonly string[] | Response | Promise<Response>

/** An answer with these lines of Set-Cookie. */
export const setting = (lines: readonly string[], status = 200): Response => {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const line of lines) headers.append('set-cookie', line)
  return new Response(status === 302 ? null : '{}', { status, headers })
}

/** A `fetch` that asks nobody. */
export const hosts = (answer: Answer) => {
  const asked: Asked[] = []
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = input instanceof Request ? input.url : String(input)
    const one = { url, method: init.method ?? 'GET', headers: new Headers(init.headers) }
    asked.push(one)
    const said = await answer(one)
    return said instanceof Response ? said : setting(said)
  }
  return { fetch, asked }
}

/** Without the one that every login sets; `undefined` for no header, and for one that is empty. */
export const withoutControl = (cookie: string | null | undefined): string | undefined =>
  cookie
    ?.split('; ')
    .filter((pair) => pair !== 'control=1')
    .join('; ') || undefined

/** Signed in at `at`, whose login sets these cookies. What is asked later answers as `later` says. */
export const signedIn = async (
  at: string,
  set: readonly string[],
  { later = () => [], ...options }: CookieSessionOptions & { later?: Answer } = {},
) => {
  const { fetch, asked } = hosts((one) =>
    one.url === at && one.method === 'POST' ? [CONTROL, ...set] : later(one),
  )
  const session = cookieSession({ login: at, allowInsecure: true, ...options, fetch })
  await session.login(ALICE)
  return {
    session,
    asked,
    /** The cookies of a request to this URL. */
    sent: async (to: string) => {
      await session.fetch(to)
      return withoutControl(asked.at(-1)?.headers.get('cookie'))
    },
    /** The cookies of a socket to this URL. */
    dialed: async (to: string) => withoutControl((await dialOf(to, session)).get('cookie')),
  }
}

/** Takes the arguments of `ws`, because it has `on`, and never opens. */
const recorder = (dials: Headers[]): WebSocketConstructor =>
  class {
    readonly readyState = 0
    binaryType = 'arraybuffer'

    constructor(_url: string, _protocols?: string[], { headers }: { headers?: HeadersInit } = {}) {
      dials.push(new Headers(headers))
    }

    on(): void {}
    addEventListener(): void {}
    removeEventListener(): void {}
    terminate(): void {}
    send(): void {}
    close(): void {}
  }

/** The headers of one dial. */
export const dialOf = async (url: string, auth: Session<never> | Session<unknown>) => {
  const dials: Headers[] = []
  const socket = new AuthedSocket({
    url,
    auth,
    protocol: plain(),
    allowInsecure: true,
    WebSocket: recorder(dials),
  })
  const connecting = socket.connect().catch(() => {})
  const first = await vi.waitUntil(() => dials[0])
  await socket.disconnect()
  await connecting
  return first
}
