import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ClientFrame } from '../../servers/node/rooms/frames.ts'
import { readFrame } from '../../servers/node/rooms/read-frame.ts'
import { shapesOfSchema, shapesOfType } from '../../support/frame-shapes.ts'
import { isClientFrame } from '../../support/rooms-client.ts'

const pathOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const schema = JSON.parse(readFileSync(pathOf('docs/protocol.schema.json'), 'utf8'))
const types = pathOf('test/servers/node/rooms/frames.ts')

describe('the types of the node server', () => {
  it.each([
    ['ClientFrame', 'clientFrame', 7],
    ['ServerFrame', 'serverFrame', 11],
  ])('have in %s the frames and members of the schema', (type, definition, count) => {
    const wanted = shapesOfSchema(schema, definition)
    expect(Object.keys(wanted)).toHaveLength(count)
    expect(shapesOfType(types, type)).toEqual(wanted)
  })
})

const id = 1
const room = 'lobby'
const clientId = '0123456789abcdef0123456789abcdef'

const GOOD: readonly ClientFrame[] = [
  { type: 'auth', id, token: 't' },
  { type: 'join', id, rooms: [{ room, params: {}, presence: {}, resume: { epoch: 'e', seq: 3 } }] },
  { type: 'leave', id, room },
  { type: 'send', id, room, epoch: 'e', clientId, n: 7, data: 'x', volatile: true },
  { type: 'call', id, method: 'm', data: 'x' },
  { type: 'history', id, room, before: 12, limit: 50 },
  { type: 'ping', id },
]

const VALUES: readonly unknown[] = [
  ...[null, true, false, '', 'text', '0'.repeat(32), 'A'.repeat(32), 'x'.repeat(257)],
  ...[0, 1, -1, 1.5, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1],
  ...[
    [],
    [null],
    {},
    { room: 'a' },
    [{ room: '' }],
    [{ room: 'a' }],
    [{ room: 'a' }, { room: 'b' }],
  ],
]

/** The frame with each of its members, at any depth, gone or replaced by each of the values. */
function* spoilt(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  const copy = (): Record<string, unknown> => structuredClone(value) as Record<string, unknown>
  for (const [member, inside] of Object.entries(value)) {
    const without = copy()
    delete without[member]
    yield Array.isArray(value) ? Object.values(without) : without
    for (const other of VALUES) {
      const changed = copy()
      changed[member] = other
      yield changed
    }
    for (const each of spoilt(inside)) {
      const changed = copy()
      changed[member] = each
      yield changed
    }
  }
}

describe('the reader of the node server', () => {
  it.each(GOOD.map((frame) => [frame.type, frame] as const))('reads %s as it is', (_, frame) => {
    expect(isClientFrame(frame)).toBe(true)
    expect(readFrame(frame)).toEqual({ ok: true, frame })
  })

  it.each(GOOD.map((frame) => [frame.type, frame] as const))(
    'judges a spoilt %s as the schema does',
    (_, frame) => {
      const frames = [...spoilt(frame)]
      const judged = frames.map((each) => [each, readFrame(each).ok])
      expect(judged).toEqual(frames.map((each) => [each, isClientFrame(each)]))
      const good = judged.filter(([, isGood]) => isGood).length
      expect(good).toBeGreaterThan(0)
      expect(good).toBeLessThan(judged.length)
    },
  )
})
