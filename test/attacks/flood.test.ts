/** One client that sends all it can, and dials anew as soon as it is closed, and what others feel of it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import type { Age } from './modules.ts'
import { type Flood, type Flooded, flooded } from './pongs.ts'
import { SERVERS, type ServerName, startTarget } from './target.ts'

beforeAll(() => ensurePythonEnv(), 60_000)

const FULL = process.env['AUTHED_SOCKET_ATTACKS'] === 'full'
/** What an attacker may add to the pongs of others, in milliseconds. */
const MOST = { median: 50, worst: 250 }
/** Others use the machine as well: what holds, or hurts, has to do so once. */
const TRIES = 3

const one = (text: string): Flood['text'] => [text, '', 0, '']
const pings64k: Flood['text'] = ['{"type":"ping","id":1,"x":[', '[],', 21_000, '1]}']
const lists1m: Flood['text'] = ['[', '[],', 340_000, '1]']

const FLOODS = {
  'a megabyte of lists, packed': { text: lists1m, deflate: true },
  'a megabyte of lists, packed, 20 a second': { text: lists1m, deflate: true, perSecond: 20 },
  'a megabyte of lists': { text: lists1m },
  'pings of 64 kB, packed': { text: pings64k, deflate: true },
  'pings of 64 kB': { text: pings64k },
  pings: { text: one('{"type":"ping","id":1}') },
  joins: { text: one('{"type":"join","id":1,"rooms":[{"room":"a","presence":{}}]}') },
  'calls without a method': { text: one('{"type":"call","id":1,"method":"x"}') },
  'single digits': { text: one('1') },
} as const satisfies Record<string, Flood>
type FloodName = keyof typeof FLOODS

type Case = readonly [server: ServerName, how: 'default' | 'recipe', flood: FloodName]

const CASES: readonly Case[] = SERVERS.flatMap((server) =>
  (['default', 'recipe'] as const).flatMap((how) =>
    // The compiler widens the keys.
    (Object.keys(FLOODS) as FloodName[]).map((flood) => [server, how, flood] as const),
  ),
).filter(
  ([server, how, flood]) =>
    // daphne unpacks nothing, and neither does what the recipes start.
    !('deflate' in FLOODS[flood] && (how === 'recipe' || server === 'channels-daphne')) &&
    !(how === 'recipe' && server === 'channels-daphne'),
)

const SOME: readonly Case[] = [
  ['fastapi-uvicorn', 'default', 'a megabyte of lists, packed'],
  ['channels-uvicorn', 'recipe', 'pings of 64 kB'],
  ['channels-daphne', 'default', 'pings'],
]

async function suffered([server, how, flood]: Case, age: Age): Promise<Flooded> {
  const target = await startTarget(server, { age, recipe: how === 'recipe' })
  try {
    return await flooded(target, FLOODS[flood])
  } finally {
    await target.stop()
  }
}

const hurts = ({ median, worst }: Flooded): boolean => median > MOST.median || worst > MOST.worst

async function firstThat(
  fits: (flooded: Flooded) => boolean,
  attack: Case,
  age: Age,
): Promise<Flooded> {
  for (let tries = 1; ; tries += 1) {
    const found = await suffered(attack, age)
    if (FULL) console.log(age, ...attack, JSON.stringify(found))
    if (fits(found) || tries === TRIES) return found
  }
}

describe('others answer as before, and the attacker is told why it is closed', () => {
  it.each(FULL ? CASES : SOME)('%s, %s: %s', async (...attack) => {
    const found = await firstThat((each) => !hurts(each), attack, 'new')
    expect(found.median).toBeLessThan(MOST.median)
    expect(found.worst).toBeLessThan(MOST.worst)
    expect(Object.keys(found.codes)).toEqual(
      expect.not.arrayContaining(['1000', '1005', '1006', '1011']),
    )
  })
})

describe('as it was, others waited', () => {
  it.each<Case>([
    ...(FULL ? ([['fastapi-uvicorn', 'default', 'pings of 64 kB, packed']] as const) : []),
    ['channels-daphne', 'default', 'pings'],
  ])('%s, %s: %s', async (...attack) => {
    expect(hurts(await firstThat(hurts, attack, 'old'))).toBe(true)
  })
})
