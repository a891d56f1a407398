/** What runs in a page of Chromium: lives of sockets, a session that tabs share, and an ear on every channel. */
import { AuthedSocket, plain, shareTabs, simpleJwt, viaSubprotocol } from '../../src/index.ts'
import type { Sighting } from '../contract/canary.ts'
import { type Life, live, sightingsOf } from './life.ts'

export interface Seen {
  readonly sightings: readonly Sighting[]
  /** What was said on a `BroadcastChannel`, by its name. */
  readonly channels: readonly Sighting[]
  /** Tokens that only the server and the SDK know. */
  readonly tokens: readonly string[]
}

const channels: Sighting[] = []

class Overheard extends BroadcastChannel {
  override postMessage(message: unknown): void {
    channels.push({ where: this.name, text: JSON.stringify(message) })
    super.postMessage(message)
  }
}
globalThis.BroadcastChannel = Overheard

const takeChannels = (): Sighting[] => channels.splice(0)

export const lives = async (plans: readonly Life[]): Promise<Seen> => {
  const sightings: Sighting[] = []
  for (const plan of plans) sightings.push(...(await live(plan)))
  return { sightings, channels: takeChannels(), tokens: [] }
}

/** Signs in, uses the token, renews it, and signs out. */
export const session = async (origin: string, shared: boolean): Promise<Seen> => {
  const tokens: string[] = []
  const listening: typeof globalThis.fetch = async (...args) => {
    const response = await globalThis.fetch(...args)
    const body: unknown = await response
      .clone()
      .json()
      .catch(() => undefined)
    for (const [name, value] of Object.entries(body ?? {}))
      if (/^(access|refresh)/.test(name) && typeof value === 'string') tokens.push(value)
    return response
  }
  const made = simpleJwt({
    obtain: `${origin}/api/token/`,
    refresh: `${origin}/api/token/refresh/`,
    fetch: listening,
    ...(shared && { tabs: shareTabs({ key: 'shop', share: 'broadcast' }) }),
  })
  const socket = new AuthedSocket({
    url: `${origin}/ws/plain`,
    auth: made,
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  await made.login({ username: 'alice', password: 'correct-horse' })
  await socket.connect()
  await socket.reauthenticate()
  const before = [socket, made].flatMap((each) => sightingsOf('while signed in', each, {}))
  await made.logout()
  const after = [socket, made].flatMap((each) => sightingsOf('after logout()', each, {}))
  return { sightings: [...before, ...after], channels: takeChannels(), tokens }
}
