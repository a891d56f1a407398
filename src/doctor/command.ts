/** `authed-socket doctor <url>`: the doctor for a terminal. Touches no global: what it needs it is given. */
import { printable } from '../core/printable.ts'
import { multiplexed } from '../protocols/multiplexed.ts'
import { plain } from '../protocols/plain.ts'
import type { Protocol } from '../protocols/protocol.ts'
import { roomPerSocket } from '../protocols/room-per-socket.ts'
import type { Transmission } from '../transmissions/transmission.ts'
import { viaCookie } from '../transmissions/via-cookie.ts'
import { viaHeader } from '../transmissions/via-header.ts'
import { viaQuery } from '../transmissions/via-query.ts'
import { viaSubprotocol } from '../transmissions/via-subprotocol.ts'
import type { Diagnosis } from './causes.ts'
import { FLAGS, type Flag, type Flags, parseFlags, UsageError } from './command-flags.ts'
import { type DiagnoseOptions, diagnose } from './diagnose.ts'
import type { WayKind } from './ways.ts'

export interface Surroundings {
  /** Behind the name of the program. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readStdin(): Promise<string>
  print(text: string): void
  complain(text: string): void
}

export const USAGE = `usage: authed-socket doctor <url> [options]

Dials in each way that could work, and names the cause with the line to change.
The token comes from the variable AUTHED_SOCKET_TOKEN, or from stdin with --token-stdin; a
Cookie header from AUTHED_SOCKET_COOKIE. Never from an argument: others on the machine can read those.

${Object.entries<Flag>(FLAGS)
  .map(([name, { value, says }]) => `  ${`--${name} ${value ?? ''}`.padEnd(26)}${says}`)
  .join('\n')}

exit status: 0 healthy, 1 a cause was named or nothing is certain, 2 wrong usage`

/** @returns the exit status */
export const run = async (around: Surroundings): Promise<0 | 1 | 2> => {
  try {
    const [command, ...rest] = around.argv
    if (command === undefined || command === '--help' || command === '-h') {
      around.print(USAGE)
      return command === undefined ? 2 : 0
    }
    if (command !== 'doctor') throw new UsageError(`no command of that name; there is: doctor`)
    const { url, flags } = parseFlags(rest)
    if (flags.help !== undefined) {
      around.print(USAGE)
      return 0
    }
    const diagnosis = await diagnose(await optionsOf(url, flags, around))
    const text = flags.json === undefined ? inWords(diagnosis) : JSON.stringify(diagnosis, null, 2)
    around.print(printable(text, '\n'))
    return diagnosis.cause === 'healthy' ? 0 : 1
  } catch (error) {
    // Our own errors, and those of wrong options, hold nothing secret; of others only the name is told.
    const isOurs = error instanceof TypeError || error instanceof RangeError
    around.complain(
      error instanceof UsageError || isOurs
        ? `authed-socket: ${error.message}\n`
        : `authed-socket: failed with ${error instanceof Error ? error.name : 'something'}\n`,
    )
    return 2
  }
}

const optionsOf = async (
  url: string,
  flags: Flags,
  around: Surroundings,
): Promise<DiagnoseOptions> => {
  const { room, origin, ways, watch, timeout, say } = flags
  const token = await tokenFrom(flags, around)
  const cookie = around.env['AUTHED_SOCKET_COOKIE']
  if (token === undefined && cookie === undefined && flags.transmission !== 'none')
    throw new UsageError('there is no token: set AUTHED_SOCKET_TOKEN, or use --token-stdin')
  return {
    url,
    auth: () => token ?? 'none',
    transmission: token === undefined ? nothing(cookie) : transmissionOf(flags.transmission),
    protocol: protocolOf(flags.protocol ?? (url.includes('{room}') ? 'room-per-socket' : 'plain')),
    ...(room !== undefined && { room }),
    ...(origin !== undefined && { page: origin }),
    // Words are checked where they are used.
    ...(ways !== undefined && { ways: listOf(ways) as WayKind[] }),
    ...(watch !== undefined && { watchMs: msOf('watch', watch) }),
    ...(timeout !== undefined && { timeoutMs: msOf('timeout', timeout) }),
    ...(say !== undefined && { crowd: { message: sayer(say) } }),
    ...(flags['allow-insecure'] !== undefined && { allowInsecure: true }),
    ...(cookie !== undefined && { webSocketOptions: { headers: { Cookie: cookie } } }),
  }
}

const tokenFrom = async (
  flags: Flags,
  { env, readStdin }: Surroundings,
): Promise<string | undefined> => {
  if (flags.transmission === 'none') return undefined
  const token = flags['token-stdin'] === undefined ? env['AUTHED_SOCKET_TOKEN'] : await readStdin()
  // The line break at the end is the shell's.
  return token?.trim() || undefined
}

/** Whoever has a cookie, or nothing at all, sends no token. */
const nothing = (cookie: string | undefined): Transmission => ({
  name: cookie === undefined ? 'none' : 'cookie',
  runtimes: 'node',
  carry: (handshake) => handshake,
})

const transmissionOf = (text = 'subprotocol'): Transmission => {
  const colon = text.indexOf(':')
  const [way, name] = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)]
  switch (way) {
    case 'subprotocol':
      return viaSubprotocol()
    case 'bearer':
      return viaSubprotocol({ preset: 'bearer', ...(name && { app: name }) })
    case 'query':
      return viaQuery(name ? { param: name } : {})
    case 'header':
      return viaHeader(name ? { name } : {})
    case 'cookie':
      return viaCookie(name ? { name } : {})
    default:
      throw new UsageError(
        '--transmission is subprotocol, bearer[:app], query[:param], header[:name], cookie[:name] or none',
      )
  }
}

const protocolOf = (name: string): Protocol => {
  if (name === 'plain') return plain()
  if (name === 'room-per-socket') return roomPerSocket()
  if (name === 'multiplexed') return multiplexed()
  throw new UsageError('--protocol is plain, room-per-socket or multiplexed')
}

const listOf = (text: string): string[] =>
  text === 'none' ? [] : text.split(',').map((word) => word.trim())

const msOf = (flag: string, text: string): number => {
  const seconds = Number(text)
  if (seconds > 0 && seconds <= 3_600) return seconds * 1_000
  throw new UsageError(`--${flag} is a number of seconds, up to 3600`)
}

/** JSON is checked once; each socket then says it with a mark of its own. */
const sayer = (text: string): ((mark: string) => unknown) => {
  if (!text.includes('{mark}'))
    throw new UsageError('--say holds {mark}, by which it is recognised')
  try {
    JSON.parse(text)
  } catch {
    throw new UsageError('--say is JSON, such as \'{"message":"{mark}"}\'')
  }
  return (mark) => JSON.parse(text.replaceAll('{mark}', mark))
}

const inWords = ({ cause, confidence, orElse, says, fix, evidence }: Diagnosis): string => {
  const sure = confidence === 'likely' ? ` (or ${orElse.join(', ')})` : ''
  const suspects = cause === 'unknown' && orElse.length > 0 ? ` (${orElse.join(', ')}?)` : ''
  const width = Math.max(...evidence.map(({ tried }) => tried.length), 0)
  return [
    `${cause}${sure}${suspects}`,
    '',
    `  ${says}`,
    `  Change: ${fix}`,
    ...(evidence.length > 0 ? [''] : []),
    ...evidence.map(({ tried, saw }) => `  ${tried.padEnd(width)}  ${saw}`),
  ].join('\n')
}
