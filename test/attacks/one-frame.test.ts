/** One frame holds the loop of its process for a moment, whatever it is, before the welcome and after it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import { type Age, FRAMEWORKS, type Framework, moduleFolder } from './modules.ts'
import { askPython } from './python.ts'

beforeAll(() => ensurePythonEnv(), 60_000)

/** Of CPU, not of time: other processes do not count. */
const MOST_MS = 5
/** Where this machine takes that much for what every frame costs. */
const FLOORS = 4

const QUOTED = ['nested, then quotes', 'nested, then backslashes'] as const
const KINDS = [
  ...['nested', 'nested objects', ...QUOTED, 'nested, then ids', 'nested, then spaces'],
  ...['an unterminated string', 'escapes', 'empty lists', 'objects', 'strings', 'rooms'],
  ...['numbers', 'large numbers', 'long numbers'],
  ...Array.from({ length: 12 }, (_, seed) => `mixed ${seed}`),
]
const SIZES = [10_240, 65_536, 262_144, 1_048_576]

type Held = readonly [kind: string, bytes: number, ms: number, floor: number]

async function heldBy(
  framework: Framework,
  age: Age,
  known: boolean,
  frames: readonly (readonly [string, number])[],
) {
  const env = { PYTHONPATH: await moduleFolder(framework, age) }
  const held = await askPython<readonly Held[]>('cpu.py', { known, frames }, env)
  return held.filter(([, , ms, floor]) => ms > Math.max(MOST_MS, FLOORS * floor))
}

describe.each(FRAMEWORKS)('%s', (framework) => {
  const frames = KINDS.flatMap((kind) => SIZES.map((bytes) => [kind, bytes] as const))

  it.each([
    ['without a token', false],
    ['of a user', true],
  ])('a frame %s, at every size', async (_, known) => {
    expect(await heldBy(framework, 'new', known, frames)).toEqual([])
  })

  it('as it was, was held by nested quotes without a token, and by what is far above the limit', async () => {
    const quotes = [['nested, then quotes', 10_240]] as const
    expect(await heldBy(framework, 'old', false, quotes)).toHaveLength(1)
    const large = [['empty lists', 1_048_576]] as const
    expect(await heldBy(framework, 'old', true, large)).toHaveLength(1)
  })
})
