/** The recipes: each example runs against what its vendor documents. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectWithAuth0 } from '../../examples/auth0.ts'
import { connectWithClerk } from '../../examples/clerk.ts'
import { connectWithFirebase } from '../../examples/firebase.ts'
import { connectToHomeAssistant } from '../../examples/home-assistant.ts'
import { connectWithMsal } from '../../examples/msal.ts'
import { connectToObs } from '../../examples/obs-websocket.ts'
import { asSupabaseSubprotocol, connectWithSupabase } from '../../examples/supabase.ts'
import { AuthedSocket, fixedToken, plain } from '../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { serveObs } from '../support/obs-server.ts'
import { serveSockets } from '../support/socket-server.ts'
import { djoser, djRestAuth, edgeFunction } from './vendor-servers.ts'
import { Auth0, Clerk, Firebase, Msal, Supabase, type Vendor } from './vendors.ts'

let server: ReferenceServer
beforeEach(async () => {
  server = await createReferenceServer()
  vi.stubGlobal('location', new URL(`${server.url}/`))
})
afterEach(async () => {
  vi.unstubAllGlobals()
  await server.close()
})

/** Tokens that the server takes, once `tokens.bad` of them have been handed out. */
const tokens = { bad: 0, given: 0 }
const mint = async (user: string): Promise<string> => {
  tokens.given += 1
  const kind = tokens.given <= tokens.bad ? 'expired' : 'valid'
  return (await server.mint({ user, kind })).access
}

interface Case {
  readonly vendor: Vendor
  connect(): Promise<AuthedSocket>
}
const CASES: Record<string, () => Case> = {
  Auth0: () => {
    const vendor = new Auth0(mint)
    return { vendor, connect: async () => connectWithAuth0(vendor.client, '/ws/plain') }
  },
  Clerk: () => {
    const vendor = new Clerk(mint)
    return { vendor, connect: async () => connectWithClerk(vendor.client, '/ws/plain') }
  },
  Firebase: () => {
    const vendor = new Firebase(mint)
    return { vendor, connect: async () => connectWithFirebase(vendor.client, '/ws/plain') }
  },
  MSAL: () => {
    const vendor = new Msal(mint)
    return {
      vendor,
      connect: async () => connectWithMsal(vendor.client, '/ws/plain', ['api://chat/use']),
    }
  },
  Supabase: () => {
    const handedOut: string[] = []
    const vendor = new Supabase(async (user) => {
      const token = await mint(user)
      handedOut.push(token)
      return token
    })
    const isGood = (jwt: string) => handedOut.indexOf(jwt) >= tokens.bad
    return {
      vendor,
      connect: async () => connectWithSupabase(vendor.client, await edgeFunction(isGood)),
    }
  },
}

describe.each(Object.entries(CASES))('the recipe for %s', (_, make) => {
  beforeEach(() => {
    Object.assign(tokens, { bad: 0, given: 0 })
  })

  it('connects with the token that the library has', async () => {
    const { vendor, connect } = make()
    await using socket = await connect()
    await socket.connect()
    expect(vendor.asked).toEqual(['cached'])
  })

  it('forces another one where the server has rejected it', async () => {
    tokens.bad = 1
    const { vendor, connect } = make()
    await using socket = await connect()
    await socket.connect()
    expect(vendor.asked).toEqual(['cached', 'forced'])
  })

  it('asks for a sign-in where nobody is signed in, and dials nobody', async () => {
    const { vendor, connect } = make()
    vendor.state = 'signed out'
    await using socket = await connect()
    await expect(socket.connect()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect(server.counts().dials).toBe(0)
    vendor.state = 'signed in'
    await socket.connect()
  })

  it('serves who signs out, and who signs in as somebody else', async () => {
    const { vendor, connect } = make()
    await using socket = await connect()
    await socket.connect()
    expect(socket.identity).toBe('alice')
    vendor.signOut()
    await socket.disconnect()
    vendor.signIn('bob')
    await socket.connect()
    expect([socket.state, socket.identity]).toEqual(['connected', 'bob'])
    vendor.signOut()
    await socket.disconnect()
    vendor.signIn('bob')
    await socket.connect()
    expect([socket.state, socket.identity]).toEqual(['connected', 'bob'])
  })

  it('serves who signs in first after the page has loaded', async () => {
    const { vendor, connect } = make()
    vendor.signOut()
    await using socket = await connect()
    await expect(socket.connect()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
    vendor.signIn('bob')
    await socket.connect()
    expect([socket.state, socket.identity]).toEqual(['connected', 'bob'])
  })

  it('asks for a sign-in where the library is refused a token', async () => {
    const { vendor, connect } = make()
    vendor.state = 'refused'
    await using socket = await connect()
    const states: string[] = []
    socket.on('statechange', ({ status }) => states.push(status.state))
    await expect(socket.connect()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect(states).toEqual(['authenticating', 'failed'])
  })

  it('waits where the library is offline, and goes on when it is back', async () => {
    const { vendor, connect } = make()
    vendor.state = 'offline'
    await using socket = await connect()
    const connected = socket.connect()
    await vi.waitFor(() =>
      expect(socket.status).toMatchObject({
        state: 'waiting',
        error: { code: 'TOKEN_UNAVAILABLE' },
      }),
    )
    vendor.state = 'signed in'
    await socket.reconnect()
    await connected
  })
})

it('Firebase tells the socket of the tokens that it renews by itself', async () => {
  Object.assign(tokens, { bad: 0, given: 0 })
  const vendor = new Firebase(mint)
  await using socket = connectWithFirebase(vendor.client, '/ws/plain')
  vendor.signIn('alice')
  await socket.connect()
  for (const listener of vendor.listeners) listener()
  await vi.waitFor(() => expect(vendor.asked).toEqual(['cached', 'cached']))
  expect(server.counts().dials).toBe(1)
})

it('Firebase tells the socket who signs in, by itself, also in the place of somebody else', async () => {
  Object.assign(tokens, { bad: 0, given: 0 })
  const vendor = new Firebase(mint)
  vendor.signOut()
  await using socket = connectWithFirebase(vendor.client, '/ws/plain')
  await expect(socket.connect()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
  const isHere = (user: string) =>
    vi.waitFor(() => expect([socket.state, socket.identity]).toEqual(['connected', user]))
  vendor.signIn('alice')
  await isHere('alice')
  vendor.signIn('bob')
  await isHere('bob')
  vendor.signOut()
  expect(socket.state).toBe('idle')
  vendor.signIn('alice')
  await isHere('alice')
})

it('Supabase takes the token as a subprotocol too', async () => {
  const url = await edgeFunction((jwt) => jwt === 'a.b.c')
  const options = { url, transmission: asSupabaseSubprotocol(), protocol: plain() }
  await using socket = new AuthedSocket({ ...options, auth: fixedToken('a.b.c') })
  await socket.connect()
  await using stranger = new AuthedSocket({ ...options, auth: fixedToken('x.y.z') })
  stranger.connect().catch(() => {})
  await vi.waitFor(() => expect(stranger.state).toBe('waiting'))
})

/** Runs an example as a page of that server, and gives what it logged. */
const logOf = async (
  page: { readonly url: string },
  run: () => Promise<{ socket: AuthedSocket }>,
  lines: number,
): Promise<unknown[]> => {
  vi.stubGlobal('location', new URL(`${page.url}/`))
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const { socket } = await run()
  await vi.waitFor(() => expect(log.mock.calls.length).toBe(lines))
  await socket.disconnect()
  return log.mock.calls.map(([first]) => first)
}

const CHAT = [{ message: 'Welcome, alice!' }, { message: 'hi', username: 'alice' }]

it('dj-rest-auth: the refresh token stays in its cookie, rotates, and is told of the logout', async () => {
  const page = await djRestAuth()
  const run = () => import('../../examples/dj-rest-auth.ts')
  expect(await logOf(page, run, 2)).toEqual(CHAT)
  const { session, socket } = await run()
  expect(page.requests).toEqual(['POST /dj-rest-auth/token/refresh/', 'POST /dj-rest-auth/login/'])
  await socket.connect()
  await socket.reauthenticate()
  await socket.reauthenticate()
  await session.logout()
  expect(page.requests.slice(2)).toEqual([
    'POST /dj-rest-auth/token/refresh/',
    'POST /dj-rest-auth/token/refresh/',
    'POST /dj-rest-auth/logout/',
  ])
  await expect(session.login({ username: 'alice', password: 'wrong' })).rejects.toMatchObject({
    code: 'TOKEN_REFUSED',
  })
})

it('djoser: a refresh token that does not rotate is used again', async () => {
  const page = await djoser()
  const run = () => import('../../examples/djoser.ts')
  expect(await logOf(page, run, 2)).toEqual(CHAT)
  const { session, socket } = await run()
  await socket.connect()
  await socket.reauthenticate()
  await socket.reauthenticate()
  expect(page.requests.slice(1)).toEqual(['POST /auth/jwt/refresh/', 'POST /auth/jwt/refresh/'])
  await expect(session.login({ username: 'alice', password: 'wrong' })).rejects.toMatchObject({
    code: 'TOKEN_REFUSED',
  })
})

it('httponly-cookie.ts: signs in, and refreshes by the cookie with the CSRF header', async () => {
  const { session, socket, start } = await import('../../examples/httponly-cookie.ts')
  await start()
  const before = server.counts().refreshRequests
  await socket.reauthenticate()
  expect(server.counts().refreshRequests).toBe(before + 1)
  await session.logout()
  expect(socket.state).toBe('idle')
})

it('ticket.ts: a ticket in the URL, and no warning', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  expect(await logOf(server, () => import('../../examples/ticket.ts'), 2)).toEqual(CHAT)
  expect(warn).not.toHaveBeenCalled()
  expect(server.counts()).toMatchObject({ ticketRequests: 1, dials: 1 })
})

it('first-message.ts: the token is in no handshake', async () => {
  expect(await logOf(server, () => import('../../examples/first-message.ts'), 2)).toEqual(CHAT)
  expect(server.dials()).toMatchObject([{ transmissions: ['first-message'], protocols: 0 }])
})

it('obs-websocket.ts: answers the challenge, and calls are answered under their ids', async () => {
  const { url, frames } = await serveObs('correct-horse')
  await using socket = connectToObs(url, 'correct-horse')
  await socket.connect()
  expect(await socket.request('GetVersion', {})).toEqual({ obsVersion: '31.0.0' })
  await expect(socket.request('NoSuch', {})).rejects.toMatchObject({
    code: 'REQUEST_FAILED',
    serverCode: '204',
  })
  expect(frames.join()).not.toContain('correct-horse')
  await using stranger = connectToObs(url, 'wrong')
  await expect(stranger.connect()).rejects.toThrow()
  expect(stranger.status).toMatchObject({ state: 'failed', action: 'sign-in' })
})

it('home-assistant.ts: calls are answered under their ids', async () => {
  const { url } = await serveSockets((socket) => {
    const say = (frame: object) => socket.send(JSON.stringify(frame))
    say({ type: 'auth_required', ha_version: '2026.11.0' })
    socket.on('message', (data) => {
      const { id, type, access_token: token } = JSON.parse(String(data))
      if (type === 'auth') say({ type: token === 'long-lived' ? 'auth_ok' : 'auth_invalid' })
      else if (type === 'get_states')
        say({ id, type: 'result', success: true, result: [{ entity_id: 'light.kitchen' }] })
      else {
        const error = { code: 'unknown_command', message: 'Unknown command.' }
        say({ id, type: 'result', success: false, error })
      }
    })
  })
  await using socket = connectToHomeAssistant(url.slice(0, -1), 'long-lived')
  await socket.connect()
  expect(await socket.request('get_states', {})).toEqual([{ entity_id: 'light.kitchen' }])
  await expect(socket.request('no_such', {})).rejects.toMatchObject({
    code: 'REQUEST_FAILED',
    serverCode: 'unknown_command',
  })
  await using stranger = connectToHomeAssistant(url.slice(0, -1), 'wrong')
  stranger.connect().catch(() => {})
  await vi.waitFor(() => expect(stranger.state).toBe('waiting'))
})
