/** What stands on the command line. No token may: every process of the machine can read it there. */

interface Flag {
  /** What follows it; `undefined` for a flag alone. */
  readonly value: string | undefined
  readonly help: string
}

export const FLAGS = {
  'token-by': {
    value: 'WAY',
    help: 'pair (default), bearer, query, header, cookie or first-message',
  },
  'token-name': {
    value: 'NAME',
    help: 'of the query member, header or cookie, where it is not the usual',
  },
  'room-prefix': {
    value: 'TEXT',
    help: 'rooms that both users may join begin so; default conformance-',
  },
  'forbidden-room': { value: 'NAME', help: 'a room that the first user may not join' },
  'echo-method': { value: 'NAME', help: 'a method of call that answers with its data' },
  expect: { value: 'LIST', help: 'features that have to be there, with commas between' },
  only: { value: 'LIST', help: 'checks or sections to run, with commas between' },
  timeout: { value: 'MS', help: 'for one answer; default 5000' },
  quiet: { value: 'MS', help: 'to listen before it is said that nothing came; default 200' },
  'rooms-up-to': { value: 'N', help: 'try limits.rooms when it is at most so many; default 2000' },
  origin: { value: 'URL', help: 'the Origin header' },
  'allow-insecure': { value: undefined, help: 'allow ws: to hosts other than this one' },
  json: { value: undefined, help: 'print the report as JSON' },
  all: { value: undefined, help: 'list what passed as well' },
  list: { value: undefined, help: 'list the checks, and run none' },
  help: { value: undefined, help: 'this text' },
} as const satisfies Readonly<Record<string, Flag>>

export type FlagName = keyof typeof FLAGS

/** Thrown for a wrong command line; the message repeats no value of it. */
export class UsageError extends Error {}

export interface Arguments {
  readonly url: string | undefined
  readonly flags: ReadonlyMap<FlagName, string>
}

/** @throws {UsageError} */
export function readArguments(argv: readonly string[]): Arguments {
  const flags = new Map<FlagName, string>()
  const rest: string[] = []
  const left = [...argv]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (!word.startsWith('--')) {
      rest.push(word)
      continue
    }
    const [name = '', ...given] = word.slice(2).split('=')
    if (!isFlag(name)) throw new UsageError(`${nameable(name)} is unknown: see --help`)
    const wanted = FLAGS[name].value
    if (wanted === undefined) flags.set(name, 'yes')
    else flags.set(name, valueFor(name, given.length > 0 ? given.join('=') : left.shift()))
  }
  if (rest.length > 1) throw new UsageError('one URL is checked at a time')
  return { url: rest[0], flags }
}

function valueFor(name: FlagName, value: string | undefined): string {
  if (value === undefined || value === '')
    throw new UsageError(`--${name} takes a value: see --help`)
  return value
}

/** A word in the place of a flag may be anything, a token too. */
const nameable = (name: string): string => (/^[a-z-]{1,20}$/.test(name) ? `--${name}` : 'a flag')

const isFlag = (name: string): name is FlagName => Object.hasOwn(FLAGS, name)

/** @throws {UsageError} for a URL that holds what may be a token */
export function checkSecrecy(url: string): void {
  const query = new URLSearchParams(url.split('?').slice(1).join('?'))
  for (const [name, value] of query) {
    const isNamed = /token|jwt|auth|ticket/i.test(name)
    if (isNamed || value.split('.').length === 3)
      throw new UsageError(
        `the query member ${isNamed ? name : 'of three parts'} may be a token, and every process of this machine can read it there: put the token into AUTHED_SOCKET_TOKEN_A, and say --token-by query`,
      )
  }
}

export function helpText(): string {
  const lines = Object.entries(FLAGS).map(([name, { value, help }]) => {
    const flag = `--${name}${value === undefined ? '' : ` ${value}`}`
    return `  ${flag.padEnd(24)}${help}`
  })
  return [
    'authed-socket-conformance URL [flags]',
    '',
    'Tells what a server lacks of authed-rooms.v1 (docs/protocol.md). Tokens come from the environment:',
    '  AUTHED_SOCKET_TOKEN_A        a good token',
    '  AUTHED_SOCKET_TOKEN_B        a good token of another user (or much is not checked)',
    '  AUTHED_SOCKET_TOKEN_EXPIRED  a token of the first user that has expired',
    '  AUTHED_SOCKET_TOKEN_SHORT    a token of the first user that ends within a minute',
    '',
    ...lines,
    '',
    'Ends with 0 when no MUST failed, with 1 when one did or the protocol is not spoken, with 2 for a wrong call.',
  ].join('\n')
}
