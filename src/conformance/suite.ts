/** All checks, in an order in which each comes behind those that it stands on. */
import type { Check, StandingRule } from './check.ts'
import { AUTH } from './checks/auth.ts'
import { BAD_FRAMES } from './checks/bad-frames.ts'
import { BASICS } from './checks/basics.ts'
import { CALL, HISTORY } from './checks/call.ts'
import { FENCE } from './checks/fence.ts'
import { HANDSHAKE } from './checks/handshake.ts'
import { JOIN } from './checks/join.ts'
import { LATER } from './checks/later.ts'
import { LEAVE } from './checks/leave.ts'
import { LIMITS } from './checks/limits.ts'
import { MESSAGE } from './checks/message.ts'
import { ORDER } from './checks/order.ts'
import { PRESENCE } from './checks/presence.ts'
import { REPEATS } from './checks/repeats.ts'
import { RESUME } from './checks/resume.ts'
import { SEND } from './checks/send.ts'
import { STANDING } from './checks/standing.ts'
import { WORDS } from './checks/words.ts'

export const CHECKS: readonly Check[] = inOrder([
  ...[...HANDSHAKE, ...FENCE, ...BASICS, ...WORDS, ...JOIN, ...LEAVE, ...SEND, ...REPEATS],
  ...[...MESSAGE, ...ORDER],
  ...[...RESUME, ...CALL, ...HISTORY, ...PRESENCE, ...AUTH, ...LIMITS, ...BAD_FRAMES, ...LATER],
])
export const RULES: readonly StandingRule[] = STANDING

function inOrder(checks: readonly Check[]): readonly Check[] {
  const byId = new Map(checks.map((check) => [check.id, check]))
  const ordered = new Set<Check>()
  const add = (check: Check): void => {
    for (const id of check.after ?? []) {
      const before = byId.get(id)
      if (before && !ordered.has(before)) add(before)
    }
    ordered.add(check)
  }
  for (const check of checks) add(check)
  return [...ordered]
}

/** `send` names a section, `send.ok` one check. */
export const isNamed = ({ id, section }: Check | StandingRule, names: readonly string[]): boolean =>
  names.some((name) => name === id || name === section || id.startsWith(`${name}.`))
