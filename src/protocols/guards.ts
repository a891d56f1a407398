import { isCount } from '../core/check.ts'
import type { Incoming } from './protocol.ts'

export const isText = (value: unknown): value is string => typeof value === 'string'
export const isMaybeText = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'

export const isMaybeCount = (value: unknown): value is number | undefined =>
  value === undefined || isCount(value)

/** Where zero would leave no room for anything, and work without end. */
export const isSize = (value: unknown): value is number => isCount(value) && value > 0

export const isMaybeSize = (value: unknown): value is number | undefined =>
  value === undefined || isSize(value)

/** `detail` names what was wrong, and holds nothing of the frame. */
export const unreadable = (detail: string): Incoming => ({ kind: 'unreadable', detail })
export const IGNORED: Incoming = { kind: 'ignored' }
