/** A report as text for a terminal. */
import type { CheckResult, ConformanceReport } from './report.ts'

export interface FormatOptions {
  /** `'all'` lists what passed as well. Default `'findings'`. */
  readonly show?: 'findings' | 'all'
}

const INDENT = ' '.repeat(12)

export function formatReport(report: ConformanceReport, options: FormatOptions = {}): string {
  const { url, overview, speaks, features } = report
  if (overview !== undefined)
    return [
      `${url} speaks no authed-rooms.v1`,
      ...(overview.works.length > 0 ? [`works:  ${overview.works.join('; ')}`] : []),
      `lacks:  ${overview.lacks.join('; ')}`,
      `change: ${overview.change.join('; ')}`,
    ].join('\n')
  const told = features.length > 0 ? features.join(', ') : 'no features'
  return [
    `${url} ${speaks ? 'speaks' : 'does not speak'} authed-rooms.v1 (${told})`,
    ...sections(report.checks, options.show === 'all'),
    '',
    summary(report),
  ].join('\n')
}

function sections(checks: readonly CheckResult[], isAll: boolean): readonly string[] {
  const lines: string[] = []
  let section = ''
  for (const check of checks) {
    if (!isAll && check.outcome === 'passed') continue
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
