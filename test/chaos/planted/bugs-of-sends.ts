/** Bugs of the client's outbox. */
import { type Bug, WINDOWS_END } from './bug.ts'

const DELIVERY = 'src/links/delivery.ts'

export const BUGS_OF_SENDS: readonly Bug[] = [
  {
    name: 'a send counts as acknowledged when it was written',
    edits: [
      {
        file: DELIVERY,
        find: '    if (!entry.answered) {\n      this.#end(entry.id, { value: undefined })',
        replace:
          '    if (entry.answered || true) {\n      this.#end(entry.id, { value: undefined })',
      },
    ],
  },
  {
    name: 'a send is repeated under a new id',
    edits: [
      {
        file: DELIVERY,
        find: 'if (!this.#port.write(frame)) return false\n    if (!entry.answered)',
        replace: `this.#port.write(
      entry.writes > 0 ? String(frame).replace('"n":', '"n":9' + entry.writes) : frame,
    )
    if (!entry.answered)`,
      },
    ],
  },
  {
    name: 'no send is repeated',
    edits: [
      {
        file: DELIVERY,
        find: "return repetition === 'remembered' && ageMs < rememberMs * 0.75",
        replace: "return repetition === 'remembered' && ageMs < rememberMs * 0",
      },
    ],
  },
  {
    name: 'a send is settled twice: with its connection, then by the answer to its repetition',
    edits: [
      {
        file: DELIVERY,
        find: 'this.#outbox.recall(again)',
        replace:
          'this.#outbox.recall(again)\n    for (const { settle } of again) settle({ error: unknown() })',
      },
    ],
  },
  {
    name: 'a send is repeated although its window has ended',
    edits: [
      {
        file: DELIVERY,
        find: "return repetition === 'remembered' && ageMs < rememberMs * 0.75",
        replace: "return repetition === 'remembered' && ageMs < rememberMs * 75",
      },
    ],
    options: WINDOWS_END,
  },
  {
    name: 'a send is repeated under another epoch',
    edits: [
      {
        file: DELIVERY,
        find: 'this.#isRemembered(entry) && entry.first.epoch === this.#port.epochOf(entry.room)',
        replace: 'this.#isRemembered(entry)',
      },
      {
        file: DELIVERY,
        find: 'this.#port.complete(entry.frame, first.epoch)',
        replace: 'this.#port.complete(entry.frame, this.#port.epochOf(entry.room))',
      },
    ],
    // Few sends are stored, and not answered, when their epoch ends.
    options: { restarts: 5 },
  },
  {
    name: 'a send whose epoch ended is forgotten',
    edits: [
      {
        file: DELIVERY,
        find: 'this.#mayWrite(entry)) this.#end(entry.id, failure(unknown()))',
        replace: 'this.#mayWrite(entry)) this.#outbox.take(entry.id)',
      },
    ],
  },
  {
    name: 'sends that wait are given up with the connection',
    edits: [
      {
        file: DELIVERY,
        find: 'unanswered()) this.#end(id, failure(unknown()))',
        replace: 'unanswered()) this.#end(id, failure(unknown()))\n    this.end(lost())',
      },
    ],
  },
  {
    name: 'repeated sends go out in reverse',
    edits: [
      {
        file: 'src/core/outbox.ts',
        find: 'one.id - other.id',
        replace: 'other.id - one.id',
      },
    ],
  },
]
