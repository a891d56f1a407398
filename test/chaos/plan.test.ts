import { describe, expect, test } from 'vitest'
import { breaks, type Fault } from './faults.ts'
import { type LineStep, type PlanSize, planOf } from './plan.ts'

const SIZE: PlanSize = {
  clients: 20,
  faults: 1_000,
  reconnects: 250,
  restarts: 3,
  workerKills: 2,
  redisRestarts: 1,
  givenUp: 2,
  successions: 4,
  absences: { count: 3, forMs: 9_000 },
}

const faultsOf = (seed: number, size = SIZE): { line: Fault[]; server: Fault[] } => {
  const { scripts, server } = planOf(seed, size)
  return {
    line: scripts.flat().map(({ fault }) => fault),
    server: server.map(({ fault }) => fault),
  }
}

describe('A plan', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planOf(7, SIZE)).toEqual(planOf(7, SIZE))
    expect(planOf(7, SIZE)).not.toEqual(planOf(8, SIZE))
  })

  test('is data: it survives JSON', () => {
    const plan = planOf(7, SIZE)
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })

  test.each([1, 2, 3, 4, 5])('has what was asked for (seed %i)', (seed) => {
    const { line, server } = faultsOf(seed)
    expect(line.length + server.length).toBe(SIZE.faults)
    expect(line.filter(breaks).length).toBe(SIZE.reconnects)
    expect(line.filter(({ kind }) => kind === 'mute').length).toBe(SIZE.successions / 2)
    expect(server.map(({ kind }) => kind).sort()).toEqual([
      'redis-restarted',
      ...Array(3).fill('restart'),
      ...Array(2).fill('worker-killed'),
    ])
    const holes = line.flatMap((fault) => (fault.kind === 'hole' ? [fault] : []))
    expect(holes.filter(({ end }) => end === 'given-up').length).toBe(2)
    expect(holes.filter(({ end }) => end === 'succeeded').length).toBe(SIZE.successions / 2)
    expect(holes.filter(({ forMs }) => forMs === 9_000).length).toBe(3)
  })

  test('holds every kind of fault, small as it may be', () => {
    const { line } = faultsOf(1, { ...SIZE, faults: 60, reconnects: 20 })
    const kinds = line.map((fault) => {
      if (fault.kind === 'cut') return `cut ${fault.dial}`
      if (fault.kind === 'drop') return `drop ${fault.frame}`
      return fault.kind
    })
    expect([...new Set(kinds)].sort()).toEqual(
      [
        ...['close', 'cut next', 'cut this', 'delay', 'drop joined', 'drop ok', 'hole', 'linger'],
        ...['mute', 'reset', 'slices'],
      ].sort(),
    )
  })

  test('refuses the token of each client at most once: the third time in a row would sign it out', () => {
    for (const seed of [1, 2, 3]) {
      const { scripts } = planOf(seed, { ...SIZE, clients: 5 })
      for (const steps of scripts) {
        const refusals = steps.filter(({ fault }) => fault.kind === 'close' && fault.code === 4003)
        expect(refusals.length).toBeLessThanOrEqual(1)
      }
    }
  })

  test('spreads the faults over the clients, and those of the server over the run', () => {
    const { scripts, server } = planOf(1, SIZE)
    const isSlow = ({ fault }: LineStep) =>
      fault.kind === 'hole' && (fault.end === 'given-up' || fault.forMs > 1_000)
    const slow = scripts.filter((steps) => steps.some(isSlow))
    expect(slow.length).toBe(SIZE.givenUp + SIZE.absences.count)
    for (const steps of scripts)
      expect(steps.length).toBeGreaterThan(slow.includes(steps) ? 10 : 48)
    const shares = server.map(({ share }) => share)
    expect(shares).toEqual([...shares].sort((one, other) => one - other))
    expect(shares[0]).toBeGreaterThan(0.05)
    expect(shares.at(-1)).toBeLessThan(0.95)
  })
})
