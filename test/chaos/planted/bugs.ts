/**
 * Bugs that break the promise, each small enough to be written by mistake. A run that finds one of them
 * breaks a rule of the checker; one that finds none has a hole.
 */
import { type Bug, SWAPS, WINDOWS_END } from './bug.ts'
import { BUGS_OF_ROOMS } from './bugs-of-rooms.ts'
import { BUGS_OF_SENDS } from './bugs-of-sends.ts'
import { BUGS_OF_SERVERS } from './bugs-of-servers.ts'
import { BUGS_OF_SWAPS } from './bugs-of-swaps.ts'

export const BUGS: readonly Bug[] = [
  ...BUGS_OF_SENDS,
  ...BUGS_OF_ROOMS,
  ...BUGS_OF_SWAPS,
  ...BUGS_OF_SERVERS,
]

/** Nothing may be found in these, or what is found with a bug says nothing. */
export const NO_BUGS: readonly Bug[] = [
  { name: 'no bug', edits: [] },
  { name: 'no bug, and windows that end', edits: [], options: WINDOWS_END },
  { name: 'no bug, and tokens that are renewed by a second socket', edits: [], options: SWAPS },
]
