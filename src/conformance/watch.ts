/** Watches one connection for the sentences that hold at all times, whatever is being checked on it. */

import type { ClientFrame, Reading, ServerFrame } from './frames.ts'
import { NO_TOKEN } from './handshake.ts'
import { show } from './judging.ts'
import type { Secrets } from './secrets.ts'

export type RuleId =
  | 'frames.valid'
  | 'frames.no-token'
  | 'order.welcome-first'
  | 'order.contiguous'
  | 'order.members-only'
  | 'requests.one-answer'
  | 'presence.only-asked'
  | 'presence.versions'

export type Breach = (rule: RuleId, detail: string) => void

interface Membership {
  readonly epoch: string
  seq: number
  /** Of presence, where it was asked for. */
  version: number | undefined
}

/** What answers what, beside `error`. */
const ANSWERS: Readonly<Record<string, ServerFrame['type']>> = {
  auth: 'ok',
  leave: 'ok',
  send: 'ok',
  call: 'reply',
  history: 'history',
  ping: 'pong',
}

/** An open request: how many answers of which type are due. */
interface Due {
  readonly type: ClientFrame['type']
  readonly rooms: Set<string>
  left: number
}

type Answer = Extract<ServerFrame, { readonly id?: number }>

export class Watch {
  readonly #breach: Breach
  readonly #secrets: Secrets
  readonly #due = new Map<number, Due>()
  readonly #rooms = new Map<string, Membership>()
  readonly #watched = new Set<string>()
  readonly #ofUrl: Set<string>
  /** Ids of frames that were wrong on purpose: an error may name them. */
  readonly #wrong = new Set<number>()
  #welcomed = false

  constructor(breach: Breach, secrets: Secrets, roomsOfUrl: readonly string[]) {
    this.#breach = breach
    this.#secrets = secrets
    this.#ofUrl = new Set(roomsOfUrl)
  }

  sent(frame: ClientFrame): void {
    const before = this.#due.get(frame.id)
    // Pings may share an id; nothing else does while it is open.
    if (before) before.left += 1
    else this.#due.set(frame.id, dueOf(frame))
    if (frame.type === 'join')
      for (const { room, presence } of frame.rooms) if (presence) this.#watched.add(room)
  }

  sentWrong(id: number | undefined): void {
    if (id !== undefined) this.#wrong.add(id)
  }

  received(reading: Reading, text: string): void {
    if (this.#secrets.isIn(text) || text.includes(NO_TOKEN))
      this.#breach('frames.no-token', `a frame held a token: ${show(text)}`)
    if (reading.kind === 'wrong')
      this.#breach('frames.valid', `${reading.problem}: ${show(reading.frame)}`)
    if (reading.kind !== 'frame') return
    const { frame } = reading
    if (this.#welcomed === (frame.type === 'welcome'))
      this.#breach(
        'order.welcome-first',
        this.#welcomed ? 'a second welcome' : `${frame.type} came before welcome`,
      )
    this.#welcomed ||= frame.type === 'welcome'
    this.#judge(frame)
  }

  #judge(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        this.#message(frame)
        break
      case 'presence':
        this.#presence(frame)
        break
      case 'joined':
        this.#answered(frame)
        this.#joined(frame)
        break
      case 'ok':
      case 'reply':
      case 'pong':
      case 'history':
      case 'error':
        this.#answered(frame)
    }
  }

  #answered(frame: Answer): void {
    const { id } = frame
    if (id === undefined) {
      this.#unasked(frame)
      return
    }
    if (frame.type === 'error' && this.#wrong.delete(id)) return
    const due = this.#due.get(id)
    if (due === undefined) {
      this.#breach('requests.one-answer', `${show(frame)} answers no open request`)
      return
    }
    const problem = due.type === 'join' ? joinProblem(due, frame) : answerProblem(due.type, frame)
    if (problem) this.#breach('requests.one-answer', problem)
    const isWhole = due.type === 'join' && frame.type === 'error' && frame.room === undefined
    due.left = isWhole ? 0 : due.left - 1
    if (due.left === 0) this.#due.delete(id)
    if (due.type === 'leave' && frame.type === 'ok') for (const room of due.rooms) this.#left(room)
  }

  /** Of a leave, once its `ok` is here: the room goes by the frame that asked. */
  #left(room: string): void {
    this.#rooms.delete(room)
    this.#watched.delete(room)
  }

  #unasked(frame: Answer): void {
    const room = 'room' in frame ? frame.room : undefined
    // Rooms of the URL are answered without an id, and so are frames that could not be read.
    if (room !== undefined && this.#ofUrl.delete(room)) return
    // Nobody asked: the server tells a member that its next message cannot follow the last one.
    if (frame.type === 'joined' && !frame.recovered && this.#rooms.has(frame.room)) return
    if (frame.type !== 'error')
      this.#breach('requests.one-answer', `${show(frame)} has no id, and no room of the URL`)
  }

  #joined(frame: ServerFrame<'joined'>): void {
    const { room, epoch, seq, members, version } = frame
    const asked = this.#watched.has(room)
    if (!asked && members !== undefined)
      this.#breach('presence.only-asked', 'joined held members, and presence was not asked for')
    const problem = joinedProblem(frame)
    if (problem !== undefined) this.#breach('frames.valid', problem)
    const before = this.#rooms.get(room)
    const isAnswer = frame.id !== undefined
    if (isAnswer && before?.epoch === epoch && !frame.recovered && before.seq !== seq)
      this.#breach('order.contiguous', `joined again at ${seq} where ${before.seq} was the last`)
    this.#rooms.set(room, { epoch, seq, version: asked ? version : undefined })
  }

  #message({ room, seq }: ServerFrame<'message'>): void {
    const membership = this.#rooms.get(room)
    if (membership === undefined) {
      this.#breach(
        'order.members-only',
        `message ${seq} came on a connection that was not in the room`,
      )
      return
    }
    if (seq !== membership.seq + 1)
      this.#breach('order.contiguous', `message ${seq} came after ${membership.seq}`)
    membership.seq = Math.max(seq, membership.seq)
  }

  #presence({ room, version }: ServerFrame<'presence'>): void {
    const membership = this.#rooms.get(room)
    if (membership?.version === undefined) {
      this.#breach(
        'presence.only-asked',
        'presence came on a connection that had not joined with presence',
      )
      return
    }
    if (version !== membership.version + 1)
      this.#breach('presence.versions', `version ${version} came after ${membership.version}`)
    membership.version = Math.max(version, membership.version)
  }
}

function dueOf(frame: ClientFrame): Due {
  const { type } = frame
  if (type === 'join') {
    const rooms = new Set(frame.rooms.map(({ room }) => room))
    return { type, rooms, left: frame.rooms.length }
  }
  return { type, rooms: new Set(type === 'leave' ? [frame.room] : []), left: 1 }
}

/** What no guard of single members sees. */
function joinedProblem(frame: ServerFrame<'joined'>): string | undefined {
  const { seq, members, version, messages, recovered } = frame
  if (messages !== undefined && !recovered) return 'joined held messages, and was not recovered'
  if ((members === undefined) !== (version === undefined))
    return 'joined held one of members and version without the other'
  const seqs = messages?.map((message) => message.seq) ?? []
  const isRow = seqs.every((each, index) => each === seq - seqs.length + 1 + index)
  return isRow ? undefined : `joined at ${seq} held the messages ${show(seqs)}`
}

function joinProblem(due: Due, frame: Answer): string | undefined {
  if (frame.type !== 'joined' && frame.type !== 'error')
    return `a join was answered by ${frame.type}`
  const { room } = frame
  if (room === undefined || due.rooms.delete(room)) return undefined
  return `a join was answered for ${show(room)}, which it did not name or which had its answer`
}

function answerProblem(asked: string, frame: Answer): string | undefined {
  if (frame.type !== 'error' && frame.type !== ANSWERS[asked])
    return `${asked} was answered by ${frame.type}`
  if (asked === 'send' && frame.type === 'ok' && frame.seq === undefined)
    return 'the ok of a send held no seq'
  return undefined
}
