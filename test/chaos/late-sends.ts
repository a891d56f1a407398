/** The sends that reach a server on a connection that was replaced, and what it answers to them. */
import { type FrameHead, Frames, headOf } from './frames.ts'

export interface LateAnswers {
  readonly stored: number
  readonly superseded: number
}

export class LateSends {
  readonly #frames = new Frames()
  /** Ids of what the server had before: its answers may still be on their way, and mean nothing. */
  readonly #early = new Set<number>()
  #answers: LateAnswers | undefined

  /** Of those that came too late. */
  get answers(): LateAnswers {
    return this.#answers ?? NONE
  }

  /** What reaches the server from now on comes too late. */
  begin(): void {
    this.#answers = NONE
  }

  /** These bytes have left for the server. */
  reached(bytes: Buffer): void {
    for (const unit of this.#frames.push(bytes)) {
      if (unit.kind !== 'text' || this.#answers !== undefined) continue
      const { type, id } = headOf(unit.text)
      if (type === 'send' && id !== undefined) this.#early.add(id)
    }
  }

  answered({ id, code, answersSend }: FrameHead): void {
    if (this.#answers === undefined || id === undefined || this.#early.has(id)) return
    const { stored, superseded } = this.#answers
    if (answersSend) this.#answers = { stored: stored + 1, superseded }
    if (code === 'superseded') this.#answers = { stored, superseded: superseded + 1 }
  }
}

const NONE: LateAnswers = { stored: 0, superseded: 0 }
