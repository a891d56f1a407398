/** Members that look right to a careless check. */
import type { ClientType } from '../frames.ts'

export type Members = Readonly<Record<string, unknown>>

/** No counts: in Python `true` is an int, and `"1"` becomes one; beyond 2^53 neighbours are equal. */
export const WRONG_COUNTS: readonly unknown[] = [
  ...[null, true, '1', '', [], {}, -1, 1.5, 2 ** 53, 1e300, -(2 ** 53)],
]

/** 31 and 33 digits, capitals, other digits, and a line break at the end, which `$` of Python's `re` lets through. */
const WRONG_CLIENT_IDS: readonly unknown[] = [
  ...['a'.repeat(31), 'a'.repeat(33), 'A'.repeat(32), 'g'.repeat(32)],
  ...[`${'a'.repeat(32)}\n`, '\uff10'.repeat(32)],
]

const NO_TEXTS = [null, 5, true, {}, ['x'], '']
const NO_OBJECTS = [null, 5, 'x', ['x']]
/** 129 characters and 258 bytes. */
const NO_ROOMS = [...NO_TEXTS, 'é'.repeat(129)]
const NO_RESUMES = [
  ...[...NO_OBJECTS, {}, { epoch: 'x' }, { seq: 1 }, { epoch: 5, seq: 1 }, { epoch: '', seq: 1 }],
  ...WRONG_COUNTS.map((seq) => ({ epoch: 'x', seq })),
]

const each = (name: string, values: readonly unknown[]): readonly Members[] =>
  values.map((value) => ({ [name]: value }))

/** What to put into a right frame to make it wrong, by its type; `room` is one that is joined. */
export function changesOf(
  room: string,
  hasPresence: boolean,
): Readonly<Record<ClientType, readonly Members[]>> {
  const joining = (name: string, values: readonly unknown[]): readonly Members[] =>
    values.map((value) => ({ rooms: [{ room, [name]: value }] }))
  return {
    auth: each('token', NO_TEXTS),
    join: [
      ...each('rooms', [null, {}, 'x', [], ['x'], [null], [{}]]),
      ...joining('room', NO_ROOMS),
      ...joining('params', NO_OBJECTS),
      ...(hasPresence ? joining('presence', NO_OBJECTS) : []),
      ...joining('resume', NO_RESUMES),
    ],
    leave: each('room', NO_ROOMS),
    send: [
      ...each('room', NO_ROOMS),
      ...each('epoch', NO_TEXTS),
      ...each('clientId', [...NO_TEXTS, ...WRONG_CLIENT_IDS]),
      ...each('n', WRONG_COUNTS),
      ...each('volatile', [false, null, 1, 'true']),
    ],
    call: each('method', NO_TEXTS),
    history: [
      ...each('room', NO_ROOMS),
      ...each('limit', [...WRONG_COUNTS, 0]),
      ...each('before', WRONG_COUNTS),
    ],
    ping: [],
  }
}
