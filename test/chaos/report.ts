/** What a run found, for people. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RULES, type Rule, type Violation } from './checker/rules.ts'
import type { CrowdResult } from './crowd.ts'
import type { Recorded } from './history.ts'
import { linesOf } from './history.ts'
import type { RunResult } from './run.ts'
import type { WorkersResult } from './workers-run.ts'

const SHOWN_PER_RULE = 3
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

type Row = readonly [name: string, value: number | string]

export function tableOf(site: string, result: RunResult): string {
  return tableWith(
    [
      ['server', site],
      ['seed', result.seed],
      ['seconds', result.seconds],
      ['faults', result.faults],
    ],
    result,
    result.shortfalls.map((text) => `did not happen: ${text}`),
  )
}

export function tableOfWorkers(result: WorkersResult): string {
  const times = result.rejoins.map(({ tookMs }) => tookMs).sort((one, other) => one - other)
  return tableWith(
    [
      ['seed', result.seed],
      ['kills', result.kills],
      ['cut off', times.length],
      ['away, median', `${times[Math.floor(times.length / 2)]} ms`],
      ['away, longest', `${times.at(-1)} ms`],
    ],
    result,
  )
}

/** What was done, what came of it, and rule by rule the first violations. */
function tableWith(rows: readonly Row[], result: CrowdResult, notes: string[] = []): string {
  const { violations, history } = result
  const all: readonly Row[] = [
    ...rows,
    ['clients, rooms', `${result.clients}, ${result.rooms}`],
    ['acknowledged', result.acknowledged],
    ['delivered', result.deliveries],
    ['reconnects', result.reconnects],
    ['gaps', result.gaps],
    ['unknown', result.unknown],
    ['violations', violations.length],
  ]
  return [
    ...all.map(([name, value]) => `${name.padEnd(16)}${value}`),
    ...notes,
    ...[...byRule(violations)].map(([rule, found]) => sectionOf(rule, found, history.events)),
  ].join('\n')
}

/** How often each rule was broken. */
export const countsOf = (violations: readonly Violation[]): Partial<Record<Rule, number>> =>
  Object.fromEntries([...byRule(violations)].map(([rule, found]) => [rule, found.length]))

function byRule(violations: readonly Violation[]): Map<Rule, Violation[]> {
  const found = new Map<Rule, Violation[]>()
  for (const violation of violations)
    found.set(violation.rule, [...(found.get(violation.rule) ?? []), violation])
  return found
}

function sectionOf(rule: Rule, found: Violation[], events: readonly Recorded[]): string {
  const shown = found.slice(0, SHOWN_PER_RULE).map(({ event, text }) => {
    const at = events[Math.min(event, events.length - 1)]?.at
    return `  event ${event}, ${at} ms: ${text}`
  })
  return [`\n${rule}: ${found.length}, ${RULES[rule]}`, ...shown].join('\n')
}

/**
 * Writes the history, and what is wrong with it.
 *
 * @param said what the servers wrote to stderr: why they failed, if they did
 * @returns where
 */
export function keep(
  { history, violations, seed }: CrowdResult & { readonly seed: number },
  said = '',
): string {
  const folder = join(ROOT, '.cache/chaos')
  mkdirSync(folder, { recursive: true })
  const name = join(folder, `${new Date().toISOString().replaceAll(':', '-')}-seed-${seed}`)
  writeFileSync(`${name}.jsonl`, linesOf(history))
  writeFileSync(`${name}.violations.json`, JSON.stringify(violations, undefined, 1))
  if (said !== '') writeFileSync(`${name}.stderr.txt`, said)
  return `${name}.jsonl`
}
