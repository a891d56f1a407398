/** Bugs of the second socket, on which a renewed token goes on. */
import { type Bug, SWAPS } from './bug.ts'

const SWAPPING = 'src/links/swapping-line.ts'

export const BUGS_OF_SWAPS: readonly Bug[] = [
  {
    name: 'a send that was on its way when the second socket came is dropped',
    edits: [
      {
        file: 'src/links/fenced.ts',
        find: "kind: 'error',\n  id,\n  code: 'superseded',",
        replace: "kind: 'ok',\n  id,\n  seq: undefined,",
      },
    ],
    options: SWAPS,
  },
  {
    name: 'what was missed between two sockets is thrown away',
    edits: [
      {
        file: SWAPPING,
        find: 'for (const { data, meta } of messages) super',
        replace: 'for (const { data, meta } of messages.slice(messages.length)) super',
      },
      // What is ahead would be left out, and fetched with what was thrown away.
      {
        file: SWAPPING,
        find: 'return isToCome && this.#ahead.leaves(membership, meta?.seq)',
        replace: 'return isToCome && false',
      },
    ],
    options: SWAPS,
  },
  {
    name: 'a send that the first socket leaves unanswered is forgotten',
    edits: [
      {
        file: SWAPPING,
        find: 'this.line.delivery.interrupted()\n    this.#lookResumed()',
        replace: 'this.#lookResumed()',
      },
    ],
    options: SWAPS,
  },
]
