/** The guards of the kit, against docs/protocol.schema.json: neither has a frame, member or rule that the other lacks. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  CLIENT_FRAMES,
  clientFrameProblem,
  ERROR_CODES,
  FEATURES,
  readServerFrame,
  SERVER_FRAMES,
} from '../../../src/conformance/frames.ts'
import type { RecordGuard } from '../../../src/conformance/guards.ts'
import { checkConformance } from '../../../src/conformance/index.ts'
import type { WebSocketConstructor } from '../../../src/index.ts'
import { startTinyServer } from './tiny-server.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, Schema | true>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

const ROOT = new URL('../../../docs/protocol.schema.json', import.meta.url)
const schema = JSON.parse(readFileSync(ROOT, 'utf8')) as { $defs: Record<string, Schema> }
const { $defs } = schema
const ajv = new Ajv2020({ strict: false })
ajv.addSchema(schema, 'rooms')
const validatorOf = (name: string) =>
  ajv.compile({ $ref: `rooms#/$defs/${name.replace('/', '~1')}` })

const SIDES = { client: CLIENT_FRAMES, server: SERVER_FRAMES } as const
type Side = keyof typeof SIDES
const typesOf = (side: Side): string[] =>
  Object.keys($defs).flatMap((name) => (name.startsWith(`${side}/`) ? [name.slice(7)] : []))
const ALL = (Object.keys(SIDES) as Side[]).flatMap((side) =>
  typesOf(side).map((type) => [side, type] as const),
)

describe('guards and schema have the same', () => {
  it.each(Object.keys(SIDES) as Side[])('frames of the %s', (side) => {
    expect(Object.keys(SIDES[side]).sort()).toEqual(typesOf(side).sort())
    expect(typesOf(side).length).toBeGreaterThan(6)
  })

  it.each(ALL)('members of %s/%s', (side, type) => {
    const guard = (SIDES[side] as Record<string, RecordGuard>)[type]
    const { properties = {}, required = [] } = $defs[`${side}/${type}`] ?? {}
    const isRequired = (name: string) => required.includes(name)
    const names = Object.keys(properties).filter((name) => name !== 'type')
    expect(Object.keys(guard?.required ?? {}).sort()).toEqual(names.filter(isRequired).sort())
    expect(Object.keys(guard?.optional ?? {}).sort()).toEqual(
      names.filter((name) => !isRequired(name)).sort(),
    )
  })

  it('codes and features', () => {
    expect([...ERROR_CODES].sort()).toEqual([...($defs['errorCode']?.enum ?? [])].sort())
    expect([...FEATURES].sort()).toEqual([...($defs['feature']?.enum ?? [])].sort())
  })
})

const NUMBERS = [0, 1, -1, -0, 1.5, 2 ** 53 - 1, 2 ** 53, 1e300, -(2 ** 53), 65_536]
const TEXTS = ['', 'x', 'é', 'a'.repeat(32), 'A'.repeat(32), 'a'.repeat(31), `${'a'.repeat(32)}\n`]
const junk = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, [null], ...NUMBERS, ...TEXTS),
  fc.jsonValue({ maxDepth: 1 }),
)

/** Mostly right values of a schema; walks the schema, and knows nothing of the guards. */
function valuesOf(part: Schema | true): fc.Arbitrary<unknown> {
  if (part === true) return fc.jsonValue({ maxDepth: 2 })
  if (part.$ref) return valuesOf($defs[part.$ref.replace('#/$defs/', '')] ?? true)
  if ('const' in part) return fc.constant(part.const)
  if (part.enum) return fc.constantFrom(...part.enum)
  if (part.pattern) return fc.stringMatching(new RegExp(part.pattern))
  if (part.type === 'integer')
    return fc.oneof(fc.constantFrom(part.minimum ?? 0, 7, 2 ** 53 - 1), fc.nat())
  if (part.type === 'boolean') return fc.boolean()
  if (part.type === 'array') return fc.array(rarelyWrong(part.items ?? true), { maxLength: 3 })
  if (part.type === 'object') return objectsOf(part)
  return fc.string({ minLength: 0, maxLength: 40 })
}

const rarelyWrong = (part: Schema | true): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: valuesOf(part) }, { weight: 1, arbitrary: junk })

function objectsOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, part]) => {
    const isThere = fc.oneof(
      { weight: required.includes(name) ? 20 : 2, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    )
    return fc.tuple(fc.constant(name), isThere, rarelyWrong(part))
  })
  const more = fc.dictionary(fc.constantFrom('x-later', '__proto__', 'constructor'), junk)
  return fc.tuple(more, ...members).map(([others, ...entries]) => {
    const own = entries.flatMap(([name, isThere, value]) => (isThere ? [[name, value]] : []))
    // Not by assignment: `__proto__` has to be a member like any other, as JSON.parse makes it.
    return Object.fromEntries([...Object.entries(others), ...own])
  })
}

describe('guards and schema judge alike', () => {
  it.each(ALL)('%s/%s', (side, type) => {
    const isValid = validatorOf(`${side}/${type}`)
    const counts = { right: 0, wrong: 0 }
    const { properties } = $defs[`${side}/${type}`] ?? {}
    const frames = objectsOf({ ...$defs[`${side}/${type}`], properties: { ...properties } })
    fc.assert(
      fc.property(frames, (generated) => {
        const frame = JSON.parse(JSON.stringify({ ...(generated as object), type })) as unknown
        const right = isValid(frame)
        counts[right ? 'right' : 'wrong'] += 1
        if (side === 'client') expect(clientFrameProblem(frame) === undefined).toBe(right)
        else expect(readServerFrame(JSON.stringify(frame)).kind).toBe(right ? 'frame' : 'wrong')
      }),
      { numRuns: 400 },
    )
    // A generator that makes only one of the two would prove nothing.
    expect(Math.min(counts.right, counts.wrong)).toBeGreaterThan(20)
  })

  it('but for names of rooms, of which only the guard counts the bytes', () => {
    const isValid = validatorOf('client/leave')
    for (const [room, right] of [
      ['é'.repeat(128), true],
      ['é'.repeat(129), false],
      ['x'.repeat(256), true],
      ['🎉'.repeat(65), false],
    ] as const) {
      const frame = { type: 'leave', id: 1, room }
      expect([isValid(frame), clientFrameProblem(frame) === undefined]).toEqual([true, right])
    }
    const tooLong = { type: 'leave', id: 1, room: 'x'.repeat(257) }
    expect([isValid(tooLong), clientFrameProblem(tooLong) === undefined]).toEqual([false, false])
  })
})

it('reads what is no frame at all', () => {
  const kinds = ['', '{', '[]', 'null', '5', '{"type":5}', '{"__proto__":{"type":"pong","id":1}}']
  for (const text of kinds) expect(readServerFrame(text).kind, text).toBe('wrong')
  expect(readServerFrame(new ArrayBuffer(2)).kind).toBe('wrong')
  expect(readServerFrame('{"type":"toString"}')).toEqual({ kind: 'unknown', type: 'toString' })
})

describe('a run of the kit', () => {
  it('sends every frame of the schema and expects every one, and no other', async () => {
    const texts = { client: [] as string[], server: [] as string[] }
    class Recorded extends WebSocket {
      constructor(url: string, protocols?: string[], options?: object) {
        super(url, protocols, options)
        this.on('message', (data, isBinary) => isBinary || texts.server.push(String(data)))
      }
      override send(data: string): void {
        if (typeof data === 'string') texts.client.push(data)
        super.send(data)
      }
    }
    const server = await startTinyServer()
    const { frames } = await checkConformance({
      url: server.url,
      tokens: {
        a: () => 'token-of.alice',
        b: () => 'token-of.bob',
        short: () => 'token-of.alice.short',
      },
      WebSocket: Recorded as unknown as WebSocketConstructor,
      echoMethod: 'echo',
      quietMs: 20,
    })
    server.close()
    expect(Object.keys(frames.sent).sort()).toEqual(typesOf('client').sort())
    expect(Object.keys(frames.received).sort()).toEqual(typesOf('server').sort())
    const isFrame = { client: validatorOf('clientFrame'), server: validatorOf('serverFrame') }
    const wrong = texts.server.filter((text) => !isFrame.server(JSON.parse(text)))
    expect(wrong).toEqual([])
    // The others are wrong on purpose.
    const right = texts.client.filter((text) => isFrame.client(parsed(text)))
    const total = Object.values(frames.sent).reduce((sum, count) => sum + count, 0)
    expect(right.length).toBeGreaterThanOrEqual(total)
  })
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
