/**
 * One life of a socket with tokens that are looked for afterwards. Runs in Node and in a page: what it shows is
 * handed out as text, and searched elsewhere.
 */
import {
  AuthedSocket,
  type AuthFunction,
  diary,
  plain,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { type Sighting, stringsIn } from '../contract/canary.ts'
import { transmissionOf, type Way } from './ways.ts'

export type Fate =
  /** The server takes it. */
  | 'accepted'
  /** It takes none of the tokens, which the source gives one after another. */
  | 'refused'
  /** The source throws it, in the text and in the properties of an error. */
  | 'thrown'
  /** It cannot travel. */
  | 'stuck'

export interface Life {
  readonly url: string
  readonly way: Way
  readonly fate: Fate
  /** Those that `auth` gives, the last one from then on. */
  readonly tokens: readonly string[]
}

export interface Runtime {
  readonly WebSocket?: WebSocketConstructor
  /** `util.inspect` with everything shown, where there is one. */
  readonly inspect?: (value: unknown) => string
}

/** @returns everything that a user, a log or an error tracker could see of it */
export async function live(life: Life, runtime: Runtime = {}): Promise<Sighting[]> {
  const shown: { readonly where: string; readonly value: unknown }[] = []
  const show = (where: string) => (value: unknown) => {
    shown.push({ where, value })
  }
  const socket = socketOf(life, runtime, show('logger'))
  for (const name of NAMES) socket.on(name, show(`event ${name}`))
  const over = whenOver(socket)
  const connecting = socket.connect()
  connecting.catch(show('error of connect()'))
  await over
  if (socket.state === 'connected') await socket.send({ message: 'hello' }).catch(show('send()'))
  show('status')(socket.status)
  show('explain()')(socket.explain())
  await socket.disconnect()
  await connecting.catch(() => {})
  show('socket')(socket)
  return shown.flatMap(({ where, value }) => sightingsOf(where, value, runtime))
}

const NAMES = [
  'statechange',
  'connected',
  'disconnected',
  'signinrequired',
  'gap',
  'error',
  'message',
] as const

function socketOf(
  { url, way, fate, tokens }: Life,
  { WebSocket }: Runtime,
  log: (line: string) => void,
): AuthedSocket {
  let next = 0
  const auth: AuthFunction = () => {
    const token = tokens[Math.min(next, tokens.length - 1)] ?? ''
    next += 1
    if (fate === 'thrown') throw Object.assign(new Error(`401 for ${token}`), { config: { token } })
    // Said to live, whatever it says of itself.
    return { token: fate === 'stuck' ? `${token}\n` : token, expiresInMs: 300_000 }
  }
  return new AuthedSocket({
    url,
    auth,
    transmission: transmissionOf(way),
    protocol: plain(),
    diary: diary(),
    retry: { scale: 0.001 },
    logger: { debug: log, warn: log },
    ...(WebSocket && { WebSocket }),
  })
}

/** Connected, failed, or waiting: a source that throws is asked again and again. */
const whenOver = (socket: AuthedSocket): Promise<void> =>
  new Promise((resolve) => {
    let waits = 0
    socket.on('statechange', ({ status }) => {
      if (status.state === 'waiting') waits += 1
      if (status.state === 'connected' || status.state === 'failed' || waits > 2) resolve()
    })
  })

/** As it would be printed, sent to an error tracker, or walked through. */
export function sightingsOf(where: string, value: unknown, { inspect }: Runtime): Sighting[] {
  return [
    ...stringsIn(value, where),
    { where: `String(${where})`, text: String(value) },
    { where: `JSON of ${where}`, text: jsonOf(value) },
    ...(inspect ? [{ where: `inspect of ${where}`, text: inspect(value) }] : []),
  ]
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
