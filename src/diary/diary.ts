/** The last decisions of a socket, in words. */
import type { Diary, LinkStep, Pen, SessionStep } from '../core/diary.ts'
import { describeLink } from './describe-link.ts'
import { describeSession } from './describe-session.ts'
import { momentOf } from './words.ts'

/** So many lines are kept. */
const LAST = 50
/** A room may have a long name. */
const NAME_LENGTH = 40

/**
 * Words are made at once, and no state is kept: nothing that a machine has let go of lives on here.
 */
class Lines implements Pen {
  readonly #lines: string[] = []

  get lines(): readonly string[] {
    return [...this.#lines]
  }

  link(step: LinkStep, where: string | undefined, room: string | undefined): void {
    const words = describeLink(step, where)
    if (words !== undefined) this.#write(step[0].at, `${nameOf(room)}${words}`)
  }

  dialed(where: string, room: string | undefined): void {
    this.#write(Date.now(), `${nameOf(room)}dials ${where}`)
  }

  session(step: SessionStep): void {
    const words = describeSession(step)
    if (words !== undefined) this.#write(step[0].at, `session: ${words}`)
  }

  #write(at: number, words: string): void {
    this.#lines.push(`${momentOf(at)} ${words}`)
    if (this.#lines.length > LAST) this.#lines.shift()
  }
}

const nameOf = (room: string | undefined): string =>
  room === undefined ? '' : `room ${JSON.stringify(room.slice(0, NAME_LENGTH))}: `

/**
 * Lets `socket.explain()` tell the last 50 decisions of a socket in words: for the option `diary`. One for
 * each socket. It costs a few kB, which nobody pays who does not import it.
 */
export const diary = (): Diary => new Lines()
