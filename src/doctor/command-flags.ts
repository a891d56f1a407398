/** The arguments of the command. An argument is never repeated in a message: it may be a token after all. */

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Flag {
  /** What follows it; absent: nothing. */
  readonly value?: string
  readonly says: string
}

export const FLAGS = {
  'token-stdin': { says: 'read the token from stdin' },
  transmission: {
    value: 'WAY',
    says: 'subprotocol (default), bearer, query[:param], header[:name], cookie[:name], none',
  },
  protocol: {
    value: 'NAME',
    says: 'plain, multiplexed, or room-per-socket: the default where the url has {room}',
  },
  room: { value: 'NAME', says: 'what {room} in the url stands for' },
  origin: { value: 'ORIGIN', says: 'the page that would dial: its Origin is sent' },
  ways: {
    value: 'LIST',
    says: 'where else to try the token: subprotocol,header,cookie,query (default: all), or none',
  },
  say: {
    value: 'JSON',
    says: 'let sockets hear each other: \'{"message":"{mark}"}\' is sent in the room',
  },
  watch: { value: 'SECONDS', says: 'watch the open socket so long (default 5; idle proxies: 70)' },
  timeout: { value: 'SECONDS', says: 'for one dial (default 10)' },
  'allow-insecure': { says: 'allow ws: to a host that is not this machine' },
  json: { says: 'print the diagnosis as JSON' },
  help: { says: 'print this' },
} as const satisfies Record<string, Flag>

type FlagName = keyof typeof FLAGS

export type Flags = { readonly [Name in FlagName]?: string }

const isFlag = (name: string): name is FlagName => Object.hasOwn(FLAGS, name)

export const parseFlags = (argv: readonly string[]): { url: string; flags: Flags } => {
  const flags: { [Name in FlagName]?: string } = {}
  const places: string[] = []
  const words = argv.flatMap(split)
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('--')) {
      places.push(word)
      continue
    }
    const name = word.slice(2)
    if (!isFlag(name)) throw new UsageError(refusal(name))
    const flag: Flag = FLAGS[name]
    const value = flag.value === undefined ? '' : words.shift()
    if (value === undefined) throw new UsageError(`--${name} is followed by ${flag.value}`)
    flags[name] = value
  }
  const [url, ...rest] = places
  if (flags.help !== undefined) return { url: url ?? '', flags }
  if (url === undefined || rest.length > 0) throw new UsageError('give one url; see --help')
  return { url, flags }
}

/** `--name=value` is two words. */
const split = (word: string): string[] => {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1
  return equals < 0 ? [word] : [word.slice(0, equals), word.slice(equals + 1)]
}

const refusal = (name: string): string =>
  name === 'token'
    ? 'no token in an argument: others on this machine can read it. Set AUTHED_SOCKET_TOKEN, or use --token-stdin'
    : 'an option that there is not; see --help'
