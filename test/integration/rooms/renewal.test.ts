import { describe, expect, test, vi } from 'vitest'
import { CredentialRejectedError, RequestFailedError } from '../../../src/index.ts'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { hosted, inLobby } from './rooms-support.ts'

const within = { timeout: 30_000, interval: 20 }
const LIFETIME_MS = 3_000

/** A function that mints a token whenever it is asked, and counts. */
const minting = (server: ReferenceServer, user = 'alice') => {
  const reasons: string[] = []
  const auth = async ({ reason, fresh }: { reason: string; fresh: boolean }) => {
    if (fresh || reasons.length === 0) reasons.push(reason)
    const { access } = await server.mint({ user, lifetimeMs: LIFETIME_MS })
    return { token: access, expiresInMs: LIFETIME_MS }
  }
  return { auth, reasons }
}

describe('A token that is renewed in-band', () => {
  test('keeps one socket over many lifetimes, with one request for each, and loses nothing', async () => {
    const server = await hosted({ exactExp: true })
    const { auth, reasons } = minting(server)
    const alice = await inLobby(server, 'alice', { auth })
    const bob = await inLobby(server, 'bob')
    const start = Date.now()
    let sent = 0
    while (Date.now() < start + 3 * LIFETIME_MS) {
      await Promise.all([alice.room.send(sent++), bob.room.send(sent++)])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await vi.waitFor(() => expect(alice.data).toHaveLength(sent), within)
    expect([alice.front.dials.length, alice.gaps, alice.errors]).toEqual([1, [], []])
    expect(reasons.length).toBeGreaterThanOrEqual(3)
    // Renewed after four fifths of a life at the soonest.
    expect(reasons.length).toBeLessThanOrEqual(2 + (Date.now() - start) / (0.8 * LIFETIME_MS))
  })

  test('that the server refuses is told, and replaced by a dial when the socket is closed', async () => {
    const server = await hosted({ exactExp: true })
    const { auth } = minting(server)
    let calls = 0
    const alice = await inLobby(server, 'alice', {
      // The second one is no token at all.
      auth: (ask) => (++calls === 2 ? { token: 'rubbish', expiresInMs: 60_000 } : auth(ask)),
    })
    await vi.waitFor(() => expect(alice.joins.length).toBeGreaterThanOrEqual(2), within)
    expect(alice.errors[0]).toBeInstanceOf(RequestFailedError)
    expect(alice.errors).not.toContainEqual(expect.any(CredentialRejectedError))
    expect(alice.gaps).toEqual([])
    expect(JSON.stringify(alice.errors)).not.toContain('rubbish')
  })

  test('is not renewed ahead with `on-close`: the server closes, and a fresh token is dialed', async () => {
    const server = await hosted({ exactExp: true })
    const { auth } = minting(server)
    const alice = await inLobby(server, 'alice', { auth, renewal: 'on-close' })
    await vi.waitFor(() => expect(alice.joins).toEqual([false, true]), within)
    expect(alice.front.dials).toHaveLength(2)
  })
})
