/** The command `authed-socket-conformance`. */

import { printable } from '../core/printable.ts'
import { InsecureUrlError } from '../errors.ts'
import type { Transmission } from '../transmissions/transmission.ts'
import { viaCookie } from '../transmissions/via-cookie.ts'
import { viaFirstMessage } from '../transmissions/via-first-message.ts'
import { viaHeader } from '../transmissions/via-header.ts'
import { viaQuery } from '../transmissions/via-query.ts'
import { viaSubprotocol } from '../transmissions/via-subprotocol.ts'
import {
  type Arguments,
  checkSecrecy,
  type FlagName,
  helpText,
  readArguments,
  UsageError,
} from './arguments.ts'
import { FEATURES, type Feature } from './frames.ts'
import type { ConformanceOptions, ConformanceTokens, TokenFunction } from './options.ts'
import { checkConformance } from './run.ts'
import { CHECKS, RULES } from './suite.ts'
import { formatReport } from './text.ts'

export interface Host {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  out(text: string): void
  err(text: string): void
}

type ExitCode = 0 | 1 | 2

export async function main(host: Host): Promise<ExitCode> {
  try {
    return await run(host)
  } catch (error) {
    const hint = error instanceof InsecureUrlError ? ' (here: --allow-insecure)' : ''
    host.err(printable(`${error instanceof Error ? error.message : 'failed'}${hint}\n`, '\n'))
    return 2
  }
}

async function run({ argv, env, out }: Host): Promise<ExitCode> {
  const { url, flags } = readArguments(argv)
  if (flags.has('help')) {
    out(`${helpText()}\n`)
    return 0
  }
  if (flags.has('list')) {
    out([...CHECKS, ...RULES].map(({ id, title }) => `${id}: ${title}\n`).join(''))
    return 0
  }
  if (url === undefined) throw new UsageError('a URL is missing: see --help')
  checkSecrecy(url)
  const report = await checkConformance({ url, tokens: tokensOf(env), ...optionsOf(flags) })
  const text = flags.has('json')
    ? JSON.stringify(report, null, 2)
    : formatReport(report, { show: flags.has('all') ? 'all' : 'findings' })
  // As JSON it has controls beyond those of ASCII.
  out(printable(`${text}\n`, '\n'))
  return report.conforms ? 0 : 1
}

function tokensOf(env: Host['env']): ConformanceTokens {
  const [a, b, expired, short] = ['A', 'B', 'EXPIRED', 'SHORT'].map(
    (name): TokenFunction | undefined => {
      const token = env[`AUTHED_SOCKET_TOKEN_${name}`]
      return token === undefined || token === '' ? undefined : () => token
    },
  )
  if (a === undefined)
    throw new UsageError('AUTHED_SOCKET_TOKEN_A is missing: a good token, in the environment')
  return { a, ...(b && { b }), ...(expired && { expired }), ...(short && { short }) }
}

type Flags = Arguments['flags']

function optionsOf(flags: Flags): Omit<ConformanceOptions, 'url' | 'tokens'> {
  const prefix = flags.get('room-prefix')
  const forbidden = flags.get('forbidden-room')
  const echoMethod = flags.get('echo-method')
  const origin = flags.get('origin')
  const only = listOf(flags, 'only')
  return {
    transmission: transmissionOf(flags.get('token-by') ?? 'pair', flags.get('token-name')),
    rooms: { ...(prefix && { prefix }), ...(forbidden && { forbidden }) },
    expect: (listOf(flags, 'expect') ?? []).map(featureOf),
    allowInsecure: flags.has('allow-insecure'),
    ...(echoMethod && { echoMethod }),
    ...(origin && { webSocketOptions: { headers: { Origin: origin } } }),
    ...(only && { only }),
    ...number(flags, 'timeout', 'timeoutMs'),
    ...number(flags, 'quiet', 'quietMs'),
    ...number(flags, 'rooms-up-to', 'roomsUpTo'),
  }
}

function transmissionOf(way: string, name: string | undefined): Transmission {
  switch (way) {
    case 'pair':
    case 'bearer':
      return viaSubprotocol(way)
    case 'query':
      return viaQuery({ acceptLogging: true, ...(name && { param: name }) })
    case 'header':
      return viaHeader(name ? { name } : {})
    case 'cookie':
      return viaCookie(name ? { name } : {})
    case 'first-message':
      return viaFirstMessage('rooms')
    default:
      throw new UsageError('--token-by is pair, bearer, query, header, cookie or first-message')
  }
}

const listOf = (flags: Flags, name: FlagName): readonly string[] | undefined =>
  flags
    .get(name)
    ?.split(',')
    .map((item) => item.trim())

function featureOf(name: string): Feature {
  const feature = FEATURES.find((each) => each === name)
  if (feature === undefined) throw new UsageError(`--expect knows ${FEATURES.join(', ')}`)
  return feature
}

function number<Name extends string>(
  flags: Flags,
  flag: FlagName,
  name: Name,
): { readonly [Key in Name]?: number } {
  const text = flags.get(flag)
  if (text === undefined) return {}
  const value = Number(text)
  if (Number.isNaN(value)) throw new UsageError(`--${flag} takes a number`)
  // One member, of that name.
  return { [name]: value } as { readonly [Key in Name]: number }
}
