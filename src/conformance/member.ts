/** A connection in one room, as checks use it: it writes, reads, and knows the last `n` of its client. */

import type { Joining, ServerFrame } from './frames.ts'
import { ensure, fail, show } from './judging.ts'
import type { Answer, Body, Peer } from './peer.ts'

export type Message = ServerFrame<'message'>

/** A client, over all its connections and rooms. */
export interface Author {
  /** The `clientId`. */
  readonly id: string
  /** The last one that was used. */
  n: number
}

export function newAuthor(): Author {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  const id = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return { id, n: 0 }
}

export class Member {
  readonly peer: Peer
  readonly author: Author
  readonly joined: ServerFrame<'joined'>

  constructor(peer: Peer, author: Author, joined: ServerFrame<'joined'>) {
    this.peer = peer
    this.author = author
    this.joined = joined
  }

  /** @throws {CheckFailure} when the room is refused */
  static async join(peer: Peer, author: Author, joining: Joining): Promise<Member> {
    const answers = await peer.join([joining])
    return new Member(peer, author, joinedOf([...answers.values()][0], joining.room))
  }

  get room(): string {
    return this.joined.room
  }

  get epoch(): string {
    return this.joined.epoch
  }

  /** A send of this member, with the next `n`; `change` puts other members in. */
  write(data: unknown, change: Partial<Body<'send'>> = {}): Body<'send'> {
    const { author, room, epoch } = this
    const n = change.n ?? author.n + 1
    author.n = Math.max(author.n, n)
    return { type: 'send', room, epoch, clientId: author.id, n, data, ...change }
  }

  /** Sends and takes the answer. @returns the `seq` */
  async say(data: unknown, change: Partial<Body<'send'>> = {}): Promise<number> {
    return this.repeat(this.write(data, change))
  }

  /** Sends this very frame, under a new `id`. @returns the `seq` */
  async repeat(body: Body<'send'>): Promise<number> {
    return seqOf(await this.peer.ask(body))
  }

  /** Sends all of it at once, and then takes the answers. @returns the `seq` of each */
  async sayAll(items: readonly unknown[]): Promise<readonly number[]> {
    const bodies = items.map((data) => this.write(data))
    const ids = bodies.map((body) => this.peer.say(body))
    const seqs: number[] = []
    for (const [index, body] of bodies.entries()) {
      const answer = await this.peer.answer(ids[index] ?? 0, 'send')
      const isLimited = answer.type === 'error' && answer.code === 'rate-limited'
      seqs.push(isLimited ? await this.repeat(body) : seqOf(answer))
    }
    return seqs
  }

  /** Goes on sending until it is done, and a little longer. @returns the greatest `seq` */
  async sayUntil(done: Promise<unknown>, items: readonly unknown[]): Promise<number> {
    let isDone = false
    const end = (): void => {
      isDone = true
    }
    done.then(end, end)
    const seqs: number[] = []
    while (!isDone) seqs.push(...(await this.sayAll(items)))
    seqs.push(...(await this.sayAll(items)))
    return Math.max(...seqs)
  }

  /** The next message of the room. */
  hear(): Promise<Message> {
    return this.peer.take({ type: 'message', room: this.room }, 'message in the room')
  }

  async hearAll(count: number): Promise<readonly Message[]> {
    const messages: Message[] = []
    while (messages.length < count) messages.push(await this.hear())
    return messages
  }

  /** Says one thing and hears it: the connection and the room are as they were. */
  async worksStill(after: string): Promise<void> {
    const word = `after ${after}`
    const seq = await this.say(word)
    const message = await this.hear()
    ensure(
      message.seq === seq && message.data === word,
      `after ${after}, ${show(message)} came in place of message ${seq}`,
    )
  }
}

/** @throws {CheckFailure} when it is not `joined` */
export function joinedOf(answer: Answer | undefined, room: string): ServerFrame<'joined'> {
  if (answer?.type === 'joined' && answer.room === room) return answer
  return fail(`the join of a fresh room was answered by ${show(answer)}`)
}

/** @throws {CheckFailure} when the send was not acknowledged */
export function seqOf(answer: Answer): number {
  if (answer.type === 'ok' && answer.seq !== undefined) return answer.seq
  return fail(`a send was answered by ${show(answer)}`)
}

/** @throws {CheckFailure} when it is no error of that code */
export function refusedWith(answer: Answer, code: string, what: string): ServerFrame<'error'> {
  if (answer.type === 'error' && answer.code === code) return answer
  return fail(`${what} was answered by ${show(answer)}, not by error ${code}`)
}
