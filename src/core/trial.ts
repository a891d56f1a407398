/** The doubt that a session has of its credential: rejections in a row, and what they allow next. */
import { confirmingMs } from './delays.ts'
import type { Problem } from './problem.ts'
import type { LinkId } from './standing.ts'

export interface Trial {
  /** 1: a fresh value is on trial; 2: the last, spaced dial is. A third ends the session. */
  readonly rejections: 0 | 1 | 2
  /** The value that was rejected first. */
  readonly first?: number
  /** The links that were rejected since the trial began. Others go first: a room may be closed to the user. */
  readonly rejected: ReadonlySet<LinkId>
  /** The confirming dial waits until then, in epoch ms. */
  readonly notBefore?: number | undefined
  /** The one refresh that silence may cost was spent. */
  readonly doubted: boolean
  readonly problem?: Problem
  /** What the session was refused with: it stands while one more dial is tried. */
  readonly refusal?: Problem | undefined
}

export const NO_TRIAL: Trial = { rejections: 0, rejected: new Set(), doubted: false }

/** The same value is dialed once more, after a pause, without another token request. */
export const confirming = (
  trial: Trial,
  { at, roll }: { readonly at: number; readonly roll: number },
  scale: number,
): Trial => ({ ...trial, rejections: 2, notBefore: at + confirmingMs(roll) * scale })
