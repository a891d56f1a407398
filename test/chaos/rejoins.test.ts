import { expect, test } from 'vitest'
import { rejoinsOf } from './checker/rejoins.ts'
import type { HistoryEvent } from './history.ts'

const killed: HistoryEvent = {
  kind: 'fault',
  fault: { kind: 'worker-killed', worker: 0, downMs: 0, deaf: 0 },
}
const cut: HistoryEvent = { kind: 'fault', client: 0, fault: { kind: 'reset' } }
const joined = (room: string, client = 0): HistoryEvent => ({ kind: 'joined', client, room })
const left = (room: string): HistoryEvent => ({ kind: 'left', client: 0, room })
const disconnected = (client = 0): HistoryEvent => ({ kind: 'disconnected', client })
const told = (room: string, client = 0): HistoryEvent => ({
  ...{ kind: 'told', client, socket: 1, room, epoch: 'e', seq: 0 },
  ...{ recovered: true, missed: 0 },
})

type Story = readonly (readonly [at: number, event: HistoryEvent])[]
const IN: Story = [
  [0, joined('one')],
  [0, joined('two')],
]
const awayOf = (story: Story) =>
  rejoinsOf(story.map(([at, event]) => ({ ...event, at }))).map(
    ({ client, killedAt, tookMs }) => [client, killedAt, tookMs] as const,
  )

test.each<[string, Story, ReturnType<typeof awayOf>]>([
  ['nobody whom no kill cut off', [...IN, [5, killed]], []],
  ['nobody whom something else cut off before', [...IN, [5, cut], [6, disconnected()]], []],
  [
    'nobody who had no room',
    [
      [5, killed],
      [6, disconnected()],
    ],
    [],
  ],
  [
    'from the kill until the last room is joined, not from the cut, nor until the first',
    [...IN, [100, killed], [150, disconnected()], [300, told('two')], [450, told('one')]],
    [[0, 100, 350]],
  ],
  [
    'for ever who never joins one of its rooms',
    [...IN, [100, killed], [150, disconnected()], [300, told('two')]],
    [[0, 100, Number.POSITIVE_INFINITY]],
  ],
  [
    'from the first kill who is cut off by the second before it is back in every room',
    [
      ...IN,
      ...([
        [100, killed],
        [150, disconnected()],
        [300, told('two')],
      ] as const),
      ...([
        [5_100, killed],
        [5_150, disconnected()],
      ] as const),
      ...([
        [6_000, told('one')],
        [6_200, told('two')],
      ] as const),
    ],
    [[0, 100, 6_100]],
  ],
  [
    'anew who is cut off again',
    [
      ...IN,
      ...([
        [100, killed],
        [150, disconnected()],
        [300, told('two')],
        [300, told('one')],
      ] as const),
      ...([
        [5_100, killed],
        [5_150, disconnected()],
      ] as const),
      ...([
        [6_000, told('one')],
        [6_200, told('two')],
      ] as const),
    ],
    [
      [0, 100, 200],
      [0, 5_100, 1_100],
    ],
  ],
  [
    'without the rooms that it left, before or meanwhile',
    [
      ...IN,
      [0, joined('three')],
      ...([
        [50, left('three')],
        [100, killed],
        [150, disconnected()],
      ] as const),
      ...([
        [300, told('two')],
        [400, left('one')],
      ] as const),
    ],
    [[0, 100, 300]],
  ],
  [
    'each client by itself',
    [
      ...IN,
      [0, joined('one', 1)],
      ...([
        [100, killed],
        [150, disconnected(1)],
        [160, disconnected()],
      ] as const),
      ...([
        [300, told('one')],
        [400, told('one', 1)],
        [500, told('two')],
      ] as const),
    ],
    [
      [1, 100, 300],
      [0, 100, 400],
    ],
  ],
])('After a kill it counts %s', (_, story, expected) => {
  expect(awayOf(story)).toEqual(expected)
})
