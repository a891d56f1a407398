/** Whether a check can be made, and why not. */
import { type Check, type Need, RUNTIME, type StandingRule, TOLD } from './check.ts'
import { FEATURES } from './frames.ts'
import type { Resolved } from './options.ts'
import type { CheckResult } from './report.ts'
import type { Welcome } from './scene.ts'
import { canSendAnyBytes } from './wire.ts'

export type Lack = Required<Pick<CheckResult, 'outcome' | 'detail'>> &
  Pick<CheckResult, 'fix' | 'waitsFor'>

export const waitFor = (id: string): Lack => ({
  outcome: 'not-checked',
  detail: `${id} has to pass first`,
  waitsFor: id,
})

const isTold = (need: Need): need is keyof typeof TOLD => Object.hasOwn(TOLD, need)
const isRuntime = (need: Need): need is keyof typeof RUNTIME => Object.hasOwn(RUNTIME, need)

function isGiven(need: keyof typeof TOLD, options: Resolved): boolean {
  const { tokens, transmission } = options
  const { name: way } = transmission
  const given: Readonly<Record<keyof typeof TOLD, boolean>> = {
    'second-user': tokens.b !== undefined,
    'expired-token': tokens.expired !== undefined,
    'short-token': tokens.short !== undefined,
    'forbidden-room': options.forbidden !== undefined,
    'echo-method': options.echoMethod !== undefined,
    'query-token': way === 'query',
    'cookie-token': way === 'cookie',
  }
  return given[need]
}

/** @returns the first thing that is lacking; `undefined` when the check can be made */
export function lackOf(
  { needs = [] }: Pick<Check | StandingRule, 'needs'>,
  options: Resolved,
  welcome: Welcome | undefined,
): Lack | undefined {
  for (const need of needs) {
    const lack = lackOfOne(need, options, welcome)
    if (lack) return lack
  }
  return undefined
}

function lackOfOne(need: Need, options: Resolved, welcome: Welcome | undefined): Lack | undefined {
  if (isTold(need))
    return isGiven(need, options) ? undefined : { outcome: 'not-checked', detail: TOLD[need] }
  if (isRuntime(need))
    return canSendAnyBytes(options.WebSocket)
      ? undefined
      : { outcome: 'not-checked', detail: RUNTIME[need] }
  if (welcome === undefined) return waitFor('welcome.frame')
  if (need === 'resume')
    return welcome.resumeWindowMs > 0
      ? undefined
      : { outcome: 'not-offered', detail: 'resumeWindowMs is 0' }
  if (welcome.features.includes(need)) return undefined
  const detail = `welcome.features does not hold ${need}`
  return FEATURES.some((feature) => feature === need && options.expect.includes(feature))
    ? { outcome: 'failed', detail, fix: `serve ${need}, and name it in welcome.features` }
    : { outcome: 'not-offered', detail }
}
