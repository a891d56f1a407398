/** Clients whose clock is a day off, against a server whose tokens live for seconds. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  AuthedSocket,
  multiplexed,
  simpleJwt,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../../src/index.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import { startSlowClock } from '../../support/slow-clock.ts'

const DAY = 86_400_000
const LIFETIME_MS = 6_000
const FOR_MS = 20_000

/** By how much the clock of whoever runs now is off, in ms: the client has one of its own, the server has not. */
const shift = new AsyncLocalStorage<number>()

let stopClock: () => Promise<void>
beforeEach(() => {
  stopClock = startSlowClock()
  const Right = globalThis.Date
  globalThis.Date = class Shifted extends Right {
    constructor(...given: [] | ConstructorParameters<typeof Date>) {
      super(...((given.length === 0 ? [Shifted.now()] : given) as [number]))
    }

    static override now(): number {
      return Right.now() + (shift.getStore() ?? 0)
    }
  } as DateConstructor
})
afterEach(() => stopClock())

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Signs in, stays connected for a while, and says what it lived through. */
async function live(origin: string, renewal: 'in-band' | 'on-close') {
  const session = simpleJwt({
    obtain: `${origin}/api/token/`,
    refresh: `${origin}/api/token/refresh/`,
  })
  const socket = new AuthedSocket({
    url: `${origin}/ws/rooms`,
    auth: session,
    transmission: viaSubprotocol({ preset: 'bearer', app: 'authed-rooms.v1' }),
    protocol: multiplexed(),
    renewal,
    // `ws` has what the SDK asks for; its own types say more than that.
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  })
  const states: string[] = []
  const errors: string[] = []
  socket.on('statechange', ({ status }) => states.push(status.state))
  socket.on('error', (error) => errors.push(String(error)))
  await session.login({ username: 'alice', password: 'correct-horse' })
  await socket.connect()
  await pause(FOR_MS)
  const { state } = socket
  await socket.disconnect()
  return { now: Date.now(), state, states, errors }
}

async function lived(shiftMs: number, renewal: 'in-band' | 'on-close') {
  const server = await createReferenceServer()
  try {
    server.settings({ accessLifetimeMs: LIFETIME_MS, exactExp: true })
    const begun = Date.now()
    const said = await shift.run(shiftMs, () => live(server.url, renewal))
    const { dials, refreshRequests } = server.counts()
    return {
      ...said,
      dials,
      refreshRequests,
      tookMs: Date.now() - begun,
      ahead: said.now - Date.now(),
    }
  } finally {
    await server.close()
  }
}

const SHIFTS: readonly [string, number][] = [
  ['a day ahead', DAY],
  ['a day behind', -DAY],
  ['ahead by almost a life of its tokens', LIFETIME_MS - 200],
]

describe('A client whose clock is', () => {
  it.each(SHIFTS)('%s renews once a lifetime on one socket (in-band)', async (_, shiftMs) => {
    const { ahead, state, errors, dials, refreshRequests, tookMs } = await lived(shiftMs, 'in-band')
    expect(Math.abs(ahead - shiftMs)).toBeLessThan(1_000)
    expect([state, errors, dials]).toEqual(['connected', [], 1])
    expect(refreshRequests).toBeGreaterThanOrEqual(2)
    // Renewed after four fifths of a life at the soonest, but for the first, whose age nobody knows.
    expect(refreshRequests).toBeLessThanOrEqual(2 + tookMs / (0.8 * LIFETIME_MS))
  })

  it.each(SHIFTS)('%s renews once a lifetime before it dials (on-close)', async (_, shiftMs) => {
    const { state, states, errors, dials, refreshRequests, tookMs } = await lived(
      shiftMs,
      'on-close',
    )
    expect(states).not.toContain('failed')
    expect(state).not.toBe('failed')
    expect(errors).toEqual([])
    expect(dials).toBeGreaterThanOrEqual(3)
    expect(dials).toBeLessThanOrEqual(2 + tookMs / LIFETIME_MS)
    expect(Math.abs(dials - 1 - refreshRequests)).toBeLessThanOrEqual(1)
  })
})
