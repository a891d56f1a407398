/** A report as text for a terminal. */
import { printable } from '../core/printable.ts'
import type { CheckResult, ConformanceReport } from './report.ts'

export interface FormatOptions {
  /** `'all'` lists what passed as well. Default `'findings'`. */
  readonly show?: 'findings' | 'all'
}

const INDENT = ' '.repeat(12)

export function formatReport(report: ConformanceReport, options: FormatOptions = {}): string {
  return wordsOf(report, options)
    .map((line) => printable(line))
    .join('\n')
}

function wordsOf(report: ConformanceReport, options: FormatOptions): readonly string[] {
  const { url, overview, features, checks } = report
  if (overview !== undefined) {
    const lines = (word: string, items: readonly string[]): readonly string[] =>
      items.map((item) => `${word.padEnd(8)}${item}`)
    return [
      `${url} does not speak authed-rooms.v1`,
      ...lines('works', overview.works),
      ...lines('lacks', overview.lacks),
      ...lines('change', overview.change),
    ]
  }
  const isAll = options.show === 'all'
  return [
    `${url} speaks authed-rooms.v1${features.length > 0 ? ` (${features.join(', ')})` : ''}`,
    ...sections(isAll ? checks : checks.filter(isFinding)),
    ...(isAll ? [] : waiting(checks)),
    '',
    summary(report),
  ]
}

const isFinding = ({ outcome, waitsFor }: CheckResult): boolean =>
  outcome !== 'passed' && waitsFor === undefined

/** One line for all that wait for one check, which is a finding itself. */
function waiting(checks: readonly CheckResult[]): readonly string[] {
  const ids = [...new Set(checks.flatMap(({ waitsFor }) => waitsFor ?? []))]
  const lines = ids.map((id) => {
    const count = checks.filter(({ waitsFor }) => waitsFor === id).length
    return `not-checked ${count} checks that wait for ${id} to pass`
  })
  return lines.length > 0 ? ['', ...lines] : []
}

function sections(checks: readonly CheckResult[]): readonly string[] {
  const lines: string[] = []
  let section = ''
  for (const check of checks) {
    if (check.section !== section) lines.push('', `${check.section}  ${check.link}`)
    section = check.section
    lines.push(...linesOf(check))
  }
  return lines
}

function linesOf({ id, title, level, outcome, detail, fix, trace }: CheckResult): string[] {
  const word = outcome === 'failed' && level === 'should' ? 'should' : outcome
  const lines = [`${word.padEnd(11)} ${id}: ${title}`]
  if (detail !== undefined) lines.push(`${INDENT}${detail}`)
  if (fix !== undefined) lines.push(`${INDENT}change: ${fix}`)
  for (const line of trace ?? []) lines.push(`${INDENT}  ${line}`)
  return lines
}

function summary({ counts, conforms }: ConformanceReport): string {
  const parts = [
    `${counts.passed} passed`,
    `${counts.failed} failed`,
    `${counts['not-offered']} not offered`,
    `${counts['not-checked']} not checked`,
  ]
  return `${parts.join(', ')}: ${conforms ? 'conforms' : 'does not conform'}`
}
