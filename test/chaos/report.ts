/** What a run found, for people. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RULES, type Rule, type Violation } from './checker/rules.ts'
import type { Recorded } from './history.ts'
import { linesOf } from './history.ts'
import type { RunResult } from './run.ts'

const SHOWN_PER_RULE = 3
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Rule by rule: how often, and the first ones with the events around them. */
export function tableOf(site: string, seed: number, result: RunResult): string {
  const { violations, shortfalls, history } = result
  const rows: [string, number | string][] = [
    ['server', site],
    ['seed', seed],
    ['seconds', result.seconds],
    ['clients, rooms', `${result.clients}, ${result.rooms}`],
    ['acknowledged', result.acknowledged],
    ['delivered', result.deliveries],
    ['reconnects', result.reconnects],
    ['faults', result.faults],
    ['gaps', result.gaps],
    ['unknown', result.unknown],
    ['violations', violations.length],
  ]
  return [
    ...rows.map(([name, value]) => `${name.padEnd(16)}${value}`),
    ...shortfalls.map((text) => `did not happen: ${text}`),
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

/** Writes the history, and what is wrong with it. @returns where */
export function keep({ history, violations, plan }: RunResult): string {
  const folder = join(ROOT, '.cache/chaos')
  mkdirSync(folder, { recursive: true })
  const name = join(folder, `${new Date().toISOString().replaceAll(':', '-')}-seed-${plan.seed}`)
  writeFileSync(`${name}.jsonl`, linesOf(history))
  writeFileSync(`${name}.violations.json`, JSON.stringify(violations, undefined, 1))
  return `${name}.jsonl`
}
