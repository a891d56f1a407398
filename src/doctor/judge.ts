/** Names the cause of what was seen. Pure: a table of rules, of which the first that fits holds. */
import { type Finding, unknown } from './causes.ts'
import type { Facts } from './facts.ts'
import { answered } from './rules/answered.ts'
import { blind } from './rules/blind.ts'
import { changed } from './rules/changed.ts'
import { opened } from './rules/opened.ts'
import type { Rule } from './rules/rule.ts'
import { token } from './rules/token.ts'
import { unreached } from './rules/unreached.ts'
import { working } from './rules/working.ts'

/**
 * From what excludes everything else to what is only left over. A rule that could be wrong says so with
 * `likely`, or stays silent: a wrong cause costs its reader more than none.
 */
export const RULES: readonly Rule[] = [
  ...unreached,
  ...changed,
  ...token,
  ...opened,
  ...answered,
  ...blind,
  ...working,
]

export const judge = (facts: Facts): Finding => {
  for (const rule of RULES) {
    const finding = rule(facts)
    if (finding !== undefined) return finding
  }
  return unknown()
}
