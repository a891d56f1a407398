/** `docs/policy.md`, from the tables of `src/core/policy.ts`. */
import {
  CLOSE_DEFAULTS,
  closeVerdict,
  isAmbiguousClose,
  isRestart,
  isSignInPage,
  isSilentClose,
  POLICY_VIOLATION,
  type PolicyRecord,
  STATUS_DEFAULTS,
  type Stage,
  statusVerdict,
  WRONG_ADDRESS,
} from '../../src/core/policy.ts'
import type { Verdict } from '../../src/core/verdict.ts'
import { groupBy, table } from './table.ts'

const MEANINGS: readonly [verdict: string, meaning: string][] = [
  ['retry', 'The connection is lost, nothing more: dial again after a backoff.'],
  [
    'reauthenticate',
    "The credential was rejected. A fresh one is asked for at once, and dialed. If that one is rejected too, it is dialed once more after 5 to 15 s; a third rejection ends the session (`failed`, `sign-in`). A rejection at the end of the token's life is only its expiry. A link that never settled, while another is settled on the same token, has a refused room instead.",
  ],
  ['sign-in', 'The session is over at once: only signing in again helps.'],
  [
    'stop',
    'Do not dial again: `failed`, until `connect()`. A code means `contact-server`, a status `fix-configuration`.',
  ],
  [
    'refuse-room',
    'This room is closed to the user: `RoomError`; other rooms go on. Without a socket for each room: `failed`, `fix-configuration`.',
  ],
  [
    '{ retryAfterMs }',
    'The advice of the server: dial again, and not before, whatever the page says.',
  ],
]

/** Its name, and who closes with it. */
const NAMES: Readonly<Record<number, string>> = {
  1000: 'Normal Closure: any server',
  1001: 'Going Away: a server that stops, a page that leaves',
  1002: 'Protocol Error: any server',
  1003: 'Unsupported Data: Starlette, for a frame of the wrong kind',
  1005: 'no code came: `ws` by `close()`',
  1006: 'the connection broke: uvicorn, when the application threw',
  1007: 'Invalid Payload: any server',
  1008: 'Policy Violation: FastAPI, for a bad token, and for a rate or a quota',
  1009: 'Message Too Big: any server',
  1010: 'Mandatory Extension: no server',
  1011: 'Internal Error: daphne, for an exception, and for what it cannot send',
  1012: 'Service Restart: uvicorn, when it stops',
  1013: 'Try Again Later: a server that is full',
  1014: 'Bad Gateway: a proxy',
  3000: 'Unauthorized (IANA)',
  3003: 'Forbidden (IANA)',
  3500: 'invalid token: Centrifugo',
  4003: 'a refused token: Django Channels projects, the rooms protocol',
  4401: 'HTTP 401, said as a code: Hocuspocus',
  4403: 'HTTP 403, said as a code: the rooms protocol, for a user; graphql-ws, for a token',
}

const COUNTED =
  'codes that servers count up from: 4001 “Token expired” (WSO2 API Manager), 4004 (Discord), 4009 (Pusher); elsewhere another device, a limit'

const nameOf = (code: number): string => {
  const name = NAMES[code]
  if (name !== undefined || !isAmbiguousClose(code)) return name ?? ''
  return code < 4100 ? COUNTED : 'authorize again: Liveblocks (4109: token expired)'
}

const word = (verdict: Verdict): string =>
  typeof verdict === 'object' ? '{ retryAfterMs }' : verdict

/** Neighbours with the same row, as ranges. */
const ranges = (
  numbers: readonly number[],
  rowOf: (n: number) => readonly string[],
): string[][] => {
  const rows: { first: number; last: number; cells: readonly string[] }[] = []
  for (const n of numbers) {
    const cells = rowOf(n)
    const last = rows[rows.length - 1]
    if (last && last.last === n - 1 && last.cells.join('\n') === cells.join('\n')) last.last = n
    else rows.push({ first: n, last: n, cells })
  }
  return rows.map(({ first, last, cells }) => [
    first === last ? `${first}` : `${first}-${last}`,
    ...cells,
  ])
}

const closeRow = (code: number): string[] => {
  const of = (stage: Stage) => `\`${word(closeVerdict(code, '', undefined, stage))}\``
  return [
    nameOf(code),
    `${of('unanswered')}${besideOpening(code)}`,
    `${of('open')}${besideOpening(code)}`,
    `${of('settled')}${besideSettled(code)}`,
  ]
}

const besideOpening = (code: number): string => {
  if (isSilentClose(code)) return '; suspicion, if the host answers'
  return isAmbiguousClose(code) ? '; suspicion, once' : besideRestart(code)
}

const besideSettled = (code: number): string => {
  if (code === POLICY_VIOLATION) return '; later each time; a forced refresh, once in 10 minutes'
  return isAmbiguousClose(code) ? '; later each time' : besideRestart(code)
}

const besideRestart = (code: number): string => (isRestart(code) ? '; within 5 s' : '')

const STATUS_NAMES: Readonly<Record<number, string>> = {
  302: 'a sign-in page: oauth2-proxy, Authelia, an SSO',
  303: 'a sign-in page: mod_auth_mellon',
  307: 'a sign-in page: traefik-forward-auth',
  401: 'a bad token: most servers',
  403: 'a close before the accept: uvicorn, daphne; a foreign Origin: Django Channels',
  426: 'no WebSocket here: a server that speaks HTTP only',
}

const statusRow = (status: number): string[] => {
  const of = (everConnected: boolean, retryAfterMs?: number) =>
    `\`${word(statusVerdict(status, { everConnected, retryAfterMs }, undefined))}\`${
      isSignInPage(status) && retryAfterMs === undefined ? '; suspicion, once' : ''
    }`
  return [STATUS_NAMES[status] ?? '', of(false), of(true), of(true, 1_000)]
}

const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

const listed = (record: PolicyRecord): string =>
  [...groupBy(Object.entries(record), ([, verdict]) => word(verdict))]
    .map(([verdict, entries]) => `\`${verdict}\`: ${entries.map(([key]) => key).join(', ')}`)
    .join('; ')

export const policyPage = (): string => `# Policy

<!-- Generated by scripts/docs/state-machine.ts from src/core/policy.ts. Do not edit. -->

A close code, or the HTTP status of a refused handshake, gives a *verdict*: what the connection does next.
The tables below are the defaults for every code and status. \`closePolicy\` and \`statusPolicy\` come first:
a record (\`{ 4001: 'sign-in', '4400-4499': 'stop' }\`; a code wins over a range, the first range over later
ones) or a function that returns a verdict, or \`undefined\` for the default. What is no verdict counts as
\`undefined\`.

## Verdicts

${table(
  ['verdict', 'what happens'],
  MEANINGS.map(([verdict, meaning]) => [`\`${verdict}\``, meaning]),
)}

## Close codes

No code counts before the socket was open: every runtime makes up its own then, and the attempt is
*suspicion* (the host is asked whether it answers; see docs/state-machine.md). So a server that wants to be
understood accepts the socket, and then closes it with one of these codes.

A code may mean another thing by how far the socket had come: *before the answer* to a first message
(\`viaFirstMessage\`) only the token was shown; a socket has *settled* when it was open for \`settleMs\` (5 s), or
the server welcomed it. What a policy of yours says, it says of all three.

- *Suspicion*: the code may be about the token. It costs one forced refresh when the retry is due, and not another
  one until some socket has settled; none while a socket of the session is open; and for a token that this server had
  accepted, only after 30 s of such ends. Then it is dialed again as after any other loss. It never signs anybody out.
- *Later each time*: the server said why, and would say it again. The backoff goes on where it was the last time,
  although the socket had settled, unless the socket was open for ten minutes. So two devices that close each other
  come to rest.
- 1008 at the end of the token's life is its expiry: renewed and dialed at once.

In short: ${listed(CLOSE_DEFAULTS)}; all others \`retry\`. A row without a name: no server is known by it.

${table(
  ['code', 'name, and who closes with it', 'before the answer', 'before settling', 'settled'],
  ranges(upTo(0, 65_535), closeRow),
)}

Where your server means the token by one of these codes, say so: \`closePolicy: { 4001: 'reauthenticate' }\`. Where it
means that another device took over: \`closePolicy: { 4001: 'stop' }\`. \`{ retryAfterMs: 0 }\` is \`retry\` without
suspicion.

## HTTP statuses

Browsers show none; Node does. In short: ${listed(STATUS_DEFAULTS)}. Before this socket ever connected, a
status that says "no WebSocket here" is a wrong address: ${listed(WRONG_ADDRESS)},
but for 302, 303 and 307. Later it is an ingress without a backend, and retried. \`Retry-After\` is obeyed.

302, 303 and 307 lead a person to a sign-in page: *suspicion*, as above. \`statusPolicy: { 302: 'sign-in' }\` asks the
user to sign in at once.

${table(
  [
    'status',
    'who answers with it',
    'never connected',
    'connected before',
    'connected before, with Retry-After',
  ],
  ranges(upTo(100, 599), statusRow),
)}
`
