/** A bug that is planted to see whether a run finds it: some text of the source, and what replaces it. */
export interface Bug {
  /** What the program does then. */
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
}

/**
 * @throws {Error} the text is not there, or more than once: the bug has to be planted anew
 */
export function plant(text: string, { name, file, find, replace }: Bug): string {
  const times = text.split(find).length - 1
  if (times !== 1)
    throw new Error(`"${name}": its text stands in ${file} ${times} times, not once:\n${find}`)
  return text.replace(find, () => replace)
}
