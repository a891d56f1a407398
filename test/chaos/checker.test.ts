import { describe, expect, test } from 'vitest'
import { check } from './checker/checker.ts'
import type { Rule } from './checker/rules.ts'
import { RULES } from './checker/rules.ts'
import type { Direction, LineFault } from './faults.ts'
import type { HistoryEvent, Recorded, Settled, Setup } from './history.ts'

const SETUP: Setup = {
  users: ['alice', 'bob'],
  resumeWindowMs: 120_000,
  forbidden: ['forbidden'],
  refusals: ['unavailable'],
}
const ALICE = 0
const BOB = 1
const ROOM = 'lobby'

/** Two clients in one room; each line of a story is one or more events. */
const connected = (client: number): HistoryEvent => ({ kind: 'connected', client })
const disconnected = (client: number): HistoryEvent => ({ kind: 'disconnected', client })
const cut = (client: number, socket = 1): HistoryEvent => ({ kind: 'cut', client, socket })
const joining = (client: number, room = ROOM): HistoryEvent => ({ kind: 'joining', client, room })
const joined = (client: number, room = ROOM): HistoryEvent => ({ kind: 'joined', client, room })
const left = (client: number): HistoryEvent => ({ kind: 'left', client, room: ROOM })
const told = (client: number, seq = 0, epoch = 'e1', room = ROOM, socket = 1): HistoryEvent => ({
  kind: 'told',
  client,
  socket,
  room,
  epoch,
  seq,
  recovered: false,
  missed: 0,
})
const resumed = (client: number, seq: number, missed: number, epoch = 'e1'): HistoryEvent => ({
  kind: 'told',
  client,
  socket: 1,
  room: ROOM,
  epoch,
  seq,
  recovered: true,
  missed,
})
const sending = (key: string, client = ALICE, volatile = false): HistoryEvent => ({
  kind: 'sending',
  client,
  room: ROOM,
  key,
  volatile,
})
const settled = (key: string, how: Settled = 'acknowledged', code?: string): HistoryEvent => ({
  kind: 'settled',
  key,
  how,
  ...(code && { code }),
})
const delivered = (
  client: number,
  key: string,
  seq: number,
  but: Partial<Extract<HistoryEvent, { kind: 'delivered' }>> = {},
): HistoryEvent => ({
  kind: 'delivered',
  client,
  room: ROOM,
  key,
  intact: true,
  id: `id of ${key}`,
  seq,
  sender: 'alice',
  own: client === ALICE,
  ...but,
})
const gap = (client: number): HistoryEvent => ({
  kind: 'gap',
  client,
  room: ROOM,
  reason: 'epoch-ended',
})
const ended: HistoryEvent = { kind: 'epoch-ended' }
const quiet: HistoryEvent = { kind: 'quiet' }

/** Sent by alice, acknowledged, and delivered to both. */
const whole = (key: string, seq: number): HistoryEvent[] => [
  sending(key),
  delivered(ALICE, key, seq),
  settled(key),
  delivered(BOB, key, seq),
]
const enter = (client: number, seq = 0, epoch = 'e1'): HistoryEvent[] => [
  connected(client),
  joining(client),
  told(client, seq, epoch),
  joined(client),
]
const START = [...enter(ALICE), ...enter(BOB)]
const again = (client: number) => [disconnected(client), connected(client)]

type Story = readonly (HistoryEvent | readonly HistoryEvent[])[]

/** One event each millisecond, unless the story says how long it takes. */
const rulesOf = (story: Story, setup: Partial<Setup> = {}): Rule[] => {
  const events = story.flat().map((event, index): Recorded => ({ ...event, at: index }))
  const rules = check({ setup: { ...SETUP, ...setup }, events }).map(({ rule }) => rule)
  return [...new Set(rules)]
}

describe('A history is right', () => {
  const right: Record<string, Story> = {
    'when nothing goes wrong': [START, whole('a', 1), whole('b', 2), quiet],
    'when a member resumes what it missed': [
      START,
      whole('a', 1),
      disconnected(BOB),
      sending('b'),
      settled('b'),
      delivered(ALICE, 'b', 2),
      connected(BOB),
      resumed(BOB, 2, 1),
      delivered(BOB, 'b', 2),
      whole('c', 3),
      quiet,
    ],
    'when sends are acknowledged that wait for nobody, or for whom nobody waits': [
      START,
      sending('a', ALICE, true),
      sending('b'),
      sending('c', BOB),
      sending('d', ALICE, true),
      [ALICE, BOB].flatMap((client) => [
        delivered(client, 'a', 1),
        delivered(client, 'b', 2),
        delivered(client, 'c', 3, { sender: 'bob', own: client === BOB }),
        delivered(client, 'd', 4),
      ]),
      settled('d'),
      settled('c'),
      settled('b'),
      settled('a'),
      quiet,
    ],
    'when a later send is refused before an earlier one is answered': [
      START,
      sending('a'),
      sending('b'),
      settled('b', 'refused', 'unavailable'),
      [ALICE, BOB].map((client) => delivered(client, 'a', 1)),
      settled('a'),
      quiet,
    ],
    'when a server cannot resume, and nothing was missed': [
      START,
      whole('a', 1),
      again(BOB),
      told(BOB, 1),
      whole('b', 2),
      quiet,
    ],
    'when an epoch ends, and every member says so': [
      START,
      whole('a', 1),
      sending('lost'),
      settled('lost'),
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      again(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      whole('b', 1),
      quiet,
    ],
    'when a member that heard of the epoch later has missed its beginning': [
      START,
      whole('a', 1),
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      sending('b'),
      delivered(ALICE, 'b', 1),
      settled('b'),
      again(BOB),
      told(BOB, 1, 'e2'),
      gap(BOB),
      whole('c', 2),
      quiet,
    ],
    'when a member saw the last of an epoch that another one missed': [
      START,
      disconnected(BOB),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      connected(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      quiet,
    ],
    'when a send is unknown because its epoch ended': [
      START,
      sending('a'),
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      settled('a', 'unknown'),
      quiet,
    ],
    'when an unknown send arrived all the same': [
      START,
      sending('a'),
      delivered(BOB, 'a', 1),
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      settled('a', 'unknown'),
      again(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      quiet,
    ],
    'when a volatile send is lost with its connection': [
      START,
      sending('a', ALICE, true),
      again(ALICE),
      settled('a', 'unknown'),
      resumed(ALICE, 0, 0),
      quiet,
    ],
    'when a volatile send is refused that others would repeat': [
      START,
      sending('a', ALICE, true),
      settled('a', 'refused', 'rate-limited'),
      sending('b', ALICE, true),
      settled('b', 'refused', 'superseded'),
      quiet,
    ],
    'when a volatile send is lost with a socket in whose place another one goes on': [
      START,
      sending('a', ALICE, true),
      resumed(ALICE, 0, 0),
      cut(ALICE),
      settled('a', 'unknown'),
      quiet,
    ],
    'when a second socket is told of a new epoch, and let go before anything came of it': [
      START,
      { kind: 'epoch-ended' },
      told(BOB, 3, 'e2'),
      cut(BOB),
      told(BOB, 5, 'e2'),
      gap(BOB),
      quiet,
    ],
    'when a second socket is told of a new epoch and let go, and the first one still brings the old one':
      [
        START,
        sending('a'),
        settled('a'),
        ended,
        told(BOB, 0, 'e2', ROOM, 2),
        cut(BOB, 2),
        [ALICE, BOB].map((client) => delivered(client, 'a', 1)),
        [ALICE, BOB].flatMap((client) => [
          ...again(client),
          told(client, 0, 'e2', ROOM, 3),
          gap(client),
        ]),
        whole('b', 1),
        quiet,
      ],
    'when a room counts anew at the very moment in which it is joined': [
      enter(ALICE),
      connected(BOB),
      joining(BOB),
      told(BOB, 4),
      ended,
      told(BOB, 0, 'e2'),
      gap(BOB),
      joined(BOB),
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      whole('a', 1),
      quiet,
    ],
    'when the first of two sockets is answered after the second one': [
      START,
      whole('a', 1),
      told(BOB, 1, 'e1', ROOM, 2),
      whole('b', 2),
      told(BOB, 1, 'e1', ROOM, 1),
      whole('c', 3),
      quiet,
    ],
    'when a room was left before its messages came': [
      START,
      sending('a'),
      left(BOB),
      delivered(ALICE, 'a', 1),
      settled('a'),
      quiet,
    ],
    'when a member comes late': [
      enter(ALICE),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      enter(BOB, 1),
      whole('b', 2),
      quiet,
    ],
    'when a room is left, and joined again': [
      START,
      whole('a', 1),
      left(BOB),
      sending('b'),
      delivered(ALICE, 'b', 2),
      settled('b'),
      enter(BOB, 2),
      whole('c', 3),
      quiet,
    ],
    'when a join is answered twice before anything came of it': [
      enter(ALICE),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      connected(BOB),
      joining(BOB),
      told(BOB, 0),
      again(BOB),
      told(BOB, 1),
      joined(BOB),
      whole('b', 2),
      quiet,
    ],
    'when a refusal is one that servers may give': [
      START,
      sending('a'),
      settled('a', 'refused', 'unavailable'),
      quiet,
    ],
    'when a send came too late for its epoch, and nobody had noticed': [
      START,
      ended,
      sending('a'),
      settled('a', 'refused', 'stale-epoch'),
      [ALICE, BOB].flatMap((client) => [told(client, 0, 'e2'), gap(client)]),
      quiet,
    ],
    'when a repetition came too late for its epoch, and nobody had noticed': [
      START,
      sending('a'),
      ended,
      again(ALICE),
      resumed(ALICE, 0, 0),
      settled('a', 'unknown', 'stale-epoch'),
      [ALICE, BOB].flatMap((client) => [told(client, 0, 'e2'), gap(client)]),
      quiet,
    ],
    'when a forbidden room is refused': [
      START,
      joining(BOB, 'forbidden'),
      { kind: 'refused', client: BOB, room: 'forbidden', code: 'forbidden' },
      quiet,
    ],
    'when what came too late was not stored': [
      START,
      { kind: 'late', client: ALICE, stored: 0, superseded: 3 },
      quiet,
    ],
  }
  test.each(Object.entries(right))('%s', (_, story) => {
    expect(rulesOf(story)).toEqual([])
  })
})

describe('A window ends', () => {
  const fault = (one: LineFault): HistoryEvent => ({ kind: 'fault', client: BOB, fault: one })
  const hole = (direction: Direction | 'both', end: 'cut' | 'release') =>
    fault({ kind: 'hole', forMs: 100, direction, end })
  /** 100 ms, in which alice alone gets a message. */
  const meanwhile = [
    sending('b'),
    delivered(ALICE, 'b', 2),
    settled('b'),
    Array.from({ length: 100 }, () => fault({ kind: 'reset' })),
  ].flat()
  const gone: readonly (readonly [string, readonly HistoryEvent[], readonly Rule[]])[] = [
    ['for who was cut off', [disconnected(BOB), ...meanwhile], []],
    ['for who heard nothing before', [hole('down', 'cut'), ...meanwhile, disconnected(BOB)], []],
    [
      'not for who heard on',
      [hole('up', 'cut'), ...meanwhile, disconnected(BOB)],
      ['gap-unexplained'],
    ],
    [
      'not for who heard it later',
      [hole('both', 'release'), ...meanwhile, disconnected(BOB)],
      ['gap-unexplained'],
    ],
  ]
  test.each(gone)('%s', (_, away, rules) => {
    const back = [connected(BOB), told(BOB, 2), gap(BOB)]
    const story: Story = [START, whole('a', 1), away, back, whole('c', 3), quiet]
    expect(rulesOf(story, { resumeWindowMs: 100 })).toEqual(rules)
    expect(rulesOf(story, { resumeWindowMs: 200 })).toEqual(['gap-unexplained'])
  })
})

/** What is wrong, the rules that it breaks, and nothing else. */
const WRONG: readonly (readonly [string, readonly Rule[], Story])[] = [
  [
    'an acknowledged message never reaches a member',
    ['lost'],
    [START, sending('a'), delivered(ALICE, 'a', 1), settled('a'), quiet],
  ],
  ['an acknowledged message reaches nobody', ['lost'], [START, sending('a'), settled('a'), quiet]],
  [
    'an acknowledged message is lost, and the gap came before it',
    ['lost'],
    [
      START,
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      again(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      quiet,
    ],
  ],
  [
    'the first message after a join does not come',
    ['lost', 'hole'],
    [
      START,
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      sending('b'),
      delivered(ALICE, 'b', 2),
      delivered(BOB, 'b', 2),
      settled('b'),
      quiet,
    ],
  ],
  [
    'a resumed member misses a message',
    ['hole', 'lost'],
    [
      START,
      whole('a', 1),
      disconnected(BOB),
      sending('b'),
      delivered(ALICE, 'b', 2),
      settled('b'),
      connected(BOB),
      resumed(BOB, 2, 0),
      whole('c', 3),
      quiet,
    ],
  ],
  [
    'an own message does not come back',
    ['lost'],
    [START, sending('a'), settled('a'), delivered(BOB, 'a', 1), quiet],
  ],
  [
    'a message comes again',
    ['delivered-twice'],
    [START, whole('a', 1), delivered(BOB, 'a', 1), quiet],
  ],
  [
    'a message was numbered twice',
    ['delivered-twice', 'disagreement'],
    [START, whole('a', 1), delivered(ALICE, 'a', 2), delivered(BOB, 'a', 2), quiet],
  ],
  [
    'a message is stored again in the next epoch',
    ['delivered-twice', 'disagreement'],
    [
      START,
      sending('a'),
      delivered(BOB, 'a', 1),
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      again(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      delivered(ALICE, 'a', 1),
      settled('a'),
      delivered(BOB, 'a', 1),
      quiet,
    ],
  ],
  [
    'a message comes after a later one',
    ['out-of-order', 'hole'],
    [
      START,
      sending('a'),
      sending('b'),
      delivered(ALICE, 'a', 1),
      delivered(ALICE, 'b', 2),
      settled('a'),
      settled('b'),
      delivered(BOB, 'b', 2),
      delivered(BOB, 'a', 1),
      quiet,
    ],
  ],
  [
    'a member goes on in a new epoch that the socket which stays has told',
    ['gap-swallowed', 'lost'],
    [
      START,
      sending('a'),
      settled('a'),
      ended,
      told(BOB, 0, 'e2', ROOM, 2),
      cut(BOB, 1),
      delivered(ALICE, 'a', 1),
      quiet,
    ],
  ],
  [
    'two sends of a client change places',
    ['overtaken'],
    [
      START,
      sending('a'),
      sending('b'),
      [ALICE, BOB].flatMap((client) => [delivered(client, 'b', 1), delivered(client, 'a', 2)]),
      settled('a'),
      settled('b'),
      quiet,
    ],
  ],
  [
    'a later send of a client is acknowledged first',
    ['answered-before'],
    [
      START,
      sending('a'),
      sending('b'),
      [ALICE, BOB].flatMap((client) => [delivered(client, 'a', 1), delivered(client, 'b', 2)]),
      settled('b'),
      settled('a'),
      quiet,
    ],
  ],
  [
    'two members have different messages under one number',
    ['disagreement'],
    [
      START,
      sending('a'),
      sending('b'),
      delivered(ALICE, 'a', 1),
      delivered(ALICE, 'b', 2),
      delivered(BOB, 'b', 1),
      delivered(BOB, 'a', 2),
      settled('a'),
      settled('b'),
      quiet,
    ],
  ],
  [
    'a message has another id for another member',
    ['disagreement'],
    [
      START,
      sending('a'),
      delivered(ALICE, 'a', 1),
      delivered(BOB, 'a', 1, { id: 'another' }),
      settled('a'),
      quiet,
    ],
  ],
  [
    'two messages share an id',
    ['disagreement'],
    [
      START,
      whole('a', 1),
      sending('b'),
      settled('b'),
      [ALICE, BOB].map((client) => delivered(client, 'b', 2, { id: 'id of a' })),
      quiet,
    ],
  ],
  [
    'a sender is told another number than the members',
    ['disagreement'],
    [
      START,
      sending('a'),
      [ALICE, BOB].map((client) => delivered(client, 'a', 1)),
      { kind: 'settled', key: 'a', how: 'acknowledged', seq: 2 },
      quiet,
    ],
  ],
  [
    'a gap comes out of nothing',
    ['gap-unexplained'],
    [START, whole('a', 1), gap(BOB), whole('b', 2), quiet],
  ],
  ['a gap is the last that is heard', ['gap-unexplained'], [START, whole('a', 1), gap(BOB), quiet]],
  [
    'a gap comes before the room is joined',
    ['gap-unexplained'],
    [
      enter(ALICE),
      connected(BOB),
      joining(BOB),
      told(BOB),
      gap(BOB),
      joined(BOB),
      whole('a', 1),
      quiet,
    ],
  ],
  [
    'a gap comes before the room is left',
    ['gap-unexplained'],
    [START, whole('a', 1), gap(BOB), left(BOB), quiet],
  ],
  [
    'a gap is announced twice',
    ['gap-unexplained'],
    [
      START,
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      gap(ALICE),
      again(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      quiet,
    ],
  ],
  [
    'the server does not resume although nothing ended',
    ['gap-unexplained'],
    [
      START,
      disconnected(BOB),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      connected(BOB),
      told(BOB, 1),
      gap(BOB),
      quiet,
    ],
  ],
  ['a gap comes in a room that was left', ['gap-unexplained'], [START, left(BOB), gap(BOB), quiet]],
  [
    'an epoch ends, and a member goes on as if it had not',
    ['gap-swallowed'],
    [
      START,
      ended,
      again(ALICE),
      told(ALICE, 0, 'e2'),
      gap(ALICE),
      again(BOB),
      told(BOB, 0, 'e2'),
      whole('a', 1),
      quiet,
    ],
  ],
  [
    'an epoch ends, and a member is silent',
    ['gap-swallowed'],
    [START, ended, again(BOB), told(BOB, 0, 'e2'), quiet],
  ],
  [
    'a room counts anew although the store lost nothing',
    ['epoch-unexplained'],
    [
      START,
      [ALICE, BOB]
        .flatMap((client) => [...again(client), told(client, 0, 'e2'), gap(client)])
        .flat(),
      quiet,
    ],
  ],
  [
    'two processes count each for itself',
    ['epoch-unexplained'],
    [enter(ALICE), enter(BOB, 0, 'e2'), quiet],
  ],
  [
    'a member is led back to an old epoch',
    ['epoch-confused'],
    [
      START,
      ended,
      again(BOB),
      told(BOB, 0, 'e2'),
      gap(BOB),
      again(BOB),
      told(BOB, 0, 'e1'),
      gap(BOB),
      quiet,
    ],
  ],
  [
    'a server resumes across two epochs',
    ['epoch-confused'],
    [START, ended, again(BOB), resumed(BOB, 0, 0, 'e2'), quiet],
  ],
  ['a send is never settled', ['never-settled'], [START, sending('a'), quiet]],
  [
    'a send is settled twice',
    ['settled-twice'],
    [START, whole('a', 1), settled('a', 'unknown'), quiet],
  ],
  ['a send is settled that nobody made', ['settled-twice'], [START, settled('a'), quiet]],
  [
    'a send ends as unknown without a reason',
    ['unknown-unexplained'],
    [START, sending('a'), again(ALICE), resumed(ALICE, 0, 0), settled('a', 'unknown'), quiet],
  ],
  [
    'a repetition ends as unknown for its epoch, which has not ended',
    ['unknown-unexplained'],
    [
      START,
      sending('a'),
      again(ALICE),
      resumed(ALICE, 0, 0),
      settled('a', 'unknown', 'stale-epoch'),
      quiet,
    ],
  ],
  [
    'a repetition ends as unknown when its epoch has ended, for another reason',
    ['unknown-unexplained'],
    [
      START,
      sending('a'),
      ended,
      again(ALICE),
      resumed(ALICE, 0, 0),
      settled('a', 'unknown', 'superseded'),
      [ALICE, BOB].flatMap((client) => [told(client, 0, 'e2'), gap(client)]),
      quiet,
    ],
  ],
  [
    'a volatile send ends as unknown on a connection that holds',
    ['unknown-unexplained'],
    [START, sending('a', ALICE, true), settled('a', 'unknown'), quiet],
  ],
  [
    'a send is given up without a reason',
    ['unsent-unexplained'],
    [START, sending('a'), settled('a', 'unsent', 'OutboxFullError'), quiet],
  ],
  [
    'a good send is refused',
    ['refusal-unexplained'],
    [START, sending('a'), settled('a', 'refused', 'superseded'), quiet],
  ],
  [
    'a send is refused for an epoch that goes on',
    ['refusal-unexplained'],
    [START, sending('a'), settled('a', 'refused', 'stale-epoch'), quiet],
  ],
  [
    'a refused send is delivered',
    ['refused-delivered'],
    [
      START,
      sending('a'),
      settled('a', 'refused', 'unavailable'),
      delivered(ALICE, 'a', 1),
      delivered(BOB, 'a', 1),
      quiet,
    ],
  ],
  [
    'a send that never left is delivered',
    ['unsent-delivered', 'not-a-member'],
    [
      START,
      sending('a'),
      left(ALICE),
      settled('a', 'unsent'),
      delivered(BOB, 'a', 1),
      delivered(ALICE, 'a', 1),
      quiet,
    ],
  ],
  [
    'a send on a replaced connection is stored',
    ['superseded-stored'],
    [START, { kind: 'late', client: ALICE, stored: 1, superseded: 0 }, quiet],
  ],
  [
    'a message comes that nobody sent',
    ['invented'],
    [START, delivered(ALICE, 'a', 1), delivered(BOB, 'a', 1), quiet],
  ],
  [
    'a message comes in another room',
    ['invented', 'disagreement'],
    [
      START,
      joining(BOB, 'news'),
      told(BOB, 0, 'n1', 'news'),
      joined(BOB, 'news'),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      delivered(BOB, 'a', 1, { room: 'news' }),
      left(BOB),
      quiet,
    ],
  ],
  [
    'a message comes with other data',
    ['altered'],
    [
      START,
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      delivered(BOB, 'a', 1, { intact: false }),
      quiet,
    ],
  ],
  [
    'a message comes in the name of somebody else',
    ['wrong-sender'],
    [
      START,
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      delivered(BOB, 'a', 1, { sender: 'bob' }),
      quiet,
    ],
  ],
  [
    'a message of another tab of the same user is taken for an own one',
    ['wrong-sender'],
    [
      START,
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      delivered(BOB, 'a', 1, { own: true }),
      quiet,
    ],
  ],
  [
    'a message comes before the room was joined',
    ['not-a-member'],
    [
      enter(ALICE),
      connected(BOB),
      joining(BOB),
      sending('a'),
      delivered(ALICE, 'a', 1),
      settled('a'),
      delivered(BOB, 'a', 1),
      told(BOB, 1),
      joined(BOB),
      quiet,
    ],
  ],
  [
    'a message comes after the room was left',
    ['not-a-member'],
    [
      START,
      sending('a'),
      settled('a'),
      left(BOB),
      delivered(ALICE, 'a', 1),
      delivered(BOB, 'a', 1),
      quiet,
    ],
  ],
  [
    'a room that was left is resumed where it stood',
    ['not-a-member'],
    [
      START,
      left(BOB),
      whole('a', 1).slice(0, -1),
      joining(BOB),
      resumed(BOB, 1, 1),
      delivered(BOB, 'a', 1),
      joined(BOB),
      quiet,
    ],
  ],
  [
    'an open room is refused',
    ['join-refused'],
    [
      enter(ALICE),
      connected(BOB),
      joining(BOB),
      { kind: 'refused', client: BOB, room: ROOM, code: 'timeout' },
      quiet,
    ],
  ],
  [
    'a forbidden room is open',
    ['forbidden-entered'],
    [
      START,
      joining(BOB, 'forbidden'),
      told(BOB, 0, 'f1', 'forbidden'),
      joined(BOB, 'forbidden'),
      quiet,
    ],
  ],
  ['the run does not come to rest', ['never-quiet'], [START]],
  [
    'the SDK reports an error',
    ['error'],
    [START, { kind: 'error', client: BOB, text: 'TypeError: malformed message' }, quiet],
  ],
]

describe('A violation is found', () => {
  test.each(WRONG)('when %s', (_, rules, story) => {
    expect(rulesOf(story).sort()).toEqual([...rules].sort())
  })

  test('of each rule', () => {
    const shown = new Set(WRONG.flatMap(([, rules]) => rules))
    expect(Object.keys(RULES).filter((rule) => !shown.has(rule as Rule))).toEqual([])
  })
})
