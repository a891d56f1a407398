import type { Finding } from '../causes.ts'
import type { Facts } from '../facts.ts'

/** `undefined`: it does not fit. */
export type Rule = (facts: Facts) => Finding | undefined
