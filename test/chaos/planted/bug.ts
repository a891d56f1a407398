/** A bug that is planted to see whether a run finds it: pieces of the source, and what replaces them. */
export interface Bug {
  /** What the program does then. */
  readonly name: string
  readonly edits: readonly Edit[]
  /** Further options of the run that has to find it. */
  readonly options?: Readonly<Record<string, number>>
}

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
}

/** Clients are away for longer than the server remembers; a restart would bring them back. */
export const WINDOWS_END = { window: 5_000, absences: 4, restarts: 0 }
/** Every client renews its token by a second socket, more than once a second. */
export const SWAPS = { lifetime: 1_000 }

/**
 * @throws {Error} the piece is not there, or more than once: the bug has to be planted anew
 */
export function edit(text: string, { file, find, replace }: Edit): string {
  const times = text.split(find).length - 1
  if (times !== 1) throw new Error(`this stands in ${file} ${times} times, not once:\n${find}`)
  return text.replace(find, () => replace)
}
