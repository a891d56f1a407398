/** Servers that are broken on purpose, started for real: the cause is named, or none is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Diagnosis, diagnose } from '../../src/doctor/index.ts'
import { type ServerName, startServer } from '../support/servers.ts'
import { asgiCases } from './corpus/asgi-cases.ts'
import type { Case, Stage } from './corpus/case.ts'
import { firstFrameCases, healthyFirstFrameCases } from './corpus/first-frame-cases.ts'
import { handmadeCases } from './corpus/handmade-cases.ts'
import { healthyCases } from './corpus/healthy-cases.ts'
import { networkCases } from './corpus/network-cases.ts'
import { nginxCases } from './corpus/nginx-cases.ts'
import { type Closable, makeCertificate, startPython } from './corpus/python.ts'

const broken: readonly Case[] = [
  ...asgiCases,
  ...nginxCases,
  ...networkCases,
  ...handmadeCases,
  ...firstFrameCases,
]
const healthy: readonly Case[] = [...healthyCases, ...healthyFirstFrameCases]

/** Side by side: most of the time goes by in watching. */
const AT_ONCE = 16
/** Longer than daphne takes to close after the accept, on a machine with other things to do. */
const WATCH_MS = 3_000

type Result = Diagnosis | Error
const results = new Map<Case, Result>()
const servers: (() => Promise<void>)[] = []

async function openStage(): Promise<Omit<Stage, 'keep'>> {
  const start = async (name: ServerName) => {
    const server = await startServer(name)
    servers.push(() => server.stop())
    return server
  }
  const startApp = async (name: string) => {
    const server = await startPython('test/doctor/servers/apps.py', `--app=${name}`)
    servers.push(() => server.close())
    return server
  }
  const [fastapi, daphne, channels, node, origins, trusted] = await Promise.all([
    start('fastapi-websockets'),
    start('channels-daphne'),
    start('channels-uvicorn-wsproto'),
    start('node'),
    startApp('origins'),
    makeCertificate('127.0.0.1', 30),
  ])
  return {
    ...{ fastapi, daphne, channels, node, origins, trusted },
    token: async (server, kind = 'valid', user = 'alice') =>
      (await server.control<{ access: string }>('mint', { user, kind })).access,
  }
}

/** A wrong cause is never tried again. */
async function examine(each: Case, stage: Omit<Stage, 'keep'>, tries = 3): Promise<Result> {
  const result = await examineOnce(each, stage)
  const isUncertain = !(result instanceof Error) && result.cause === 'unknown'
  return each.timed && isUncertain && tries > 1 ? examine(each, stage, tries - 1) : result
}

async function examineOnce(each: Case, stage: Omit<Stage, 'keep'>): Promise<Result> {
  const kept: Closable[] = []
  try {
    const options = await each.make({
      ...stage,
      keep: async (promised) => {
        const one = await promised
        kept.push(one)
        return one
      },
    })
    return await diagnose({ watchMs: WATCH_MS, ...options })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await Promise.all(kept.map((one) => one.close()))
  }
}

beforeAll(async () => {
  const stage = await openStage()
  const isSlow = ({ slow }: Case): boolean => slow === true
  const waiting = [...broken.filter(isSlow), ...broken, ...healthy]
    // Each once.
    .filter((each, at, all) => all.indexOf(each) === at)
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift())
      results.set(each, await examine(each, stage))
  })
  await Promise.all(workers)
})
afterAll(() => Promise.all(servers.map((stop) => stop())))

/** @throws what the examination threw */
function diagnosisOf(each: Case): Diagnosis {
  const result = results.get(each)
  if (result === undefined || result instanceof Error) throw result ?? new Error('not examined')
  return result
}

describe('the doctor names what is wrong', () => {
  it.each(broken.map((each) => [each.title, each] as const))('%s', (_title, each) => {
    const { cause, says, fix, evidence } = diagnosisOf(each)
    expect({ cause, evidence }).toMatchObject({ cause: each.is })
    if (each.names !== undefined) expect(`${says} ${fix}`).toContain(each.names)
  })
})

describe('the doctor leaves the healthy alone', () => {
  it.each(healthy.map((each) => [each.title, each] as const))('%s', (_title, each) => {
    const { cause, evidence } = diagnosisOf(each)
    expect({ cause, evidence }).toMatchObject({ cause: 'healthy' })
  })
})

describe('the corpus', () => {
  const causes = () => broken.map((each) => ({ ...each, named: diagnosisOf(each).cause }))

  it('has at least 25 broken servers, and names at least 24 of each 25', () => {
    const named = causes().filter(({ is, named }) => is === named)
    expect(broken.length).toBeGreaterThanOrEqual(25)
    expect(named.length / broken.length).toBeGreaterThanOrEqual(24 / 25)
  })

  it('has no server of which a wrong cause is named', () => {
    const wrong = causes().filter(({ is, named }) => named !== is && named !== 'unknown')
    expect(wrong.map(({ title, is, named }) => `${title}: ${named} instead of ${is}`)).toEqual([])
  })
})
