/** Opens several sockets in one room, lets each say something, and looks who hears whom. */

import type { Codec } from '../protocols/protocol.ts'
import { firstFrameOf } from '../transmissions/first-frame.ts'
import type { Wire } from './eyes.ts'
import type { Crowd, Outcome } from './facts.ts'
import type { Watch } from './run-probe.ts'
import { addressed, handshakeFor } from './variants.ts'

export interface CrowdOptions {
  /**
   * Makes a message that your server spreads in the room. It must hold `mark`, by which it is recognised:
   * `(mark) => ({ message: mark })`.
   */
  readonly message: (mark: string) => unknown
  /** 2 to 50. Default 8: fewer may all come to the same worker. */
  readonly sockets?: number
}

/** A server may take so long to let a socket into its room, and to spread what it says. */
const ENTER_MS = 300
const SPREAD_MS = 1_000

interface Member {
  readonly wire: Wire
  readonly codec: Codec
  readonly mark: string
  readonly heard: Heard
}

/** Everything that came in, what it told of the room, and whether it is over. */
interface Heard {
  readonly texts: string[]
  epoch?: string
  ended: boolean
}

/** @param room where rooms share a socket; otherwise it stands in the URL, or there is none */
export const runCrowd = async (
  { message, sockets = 8 }: CrowdOptions,
  room: string,
  watch: Watch,
): Promise<Outcome> => {
  const dialed = await Promise.all(Array.from({ length: sockets }, () => enter(watch, room)))
  const members = dialed.filter((member) => member !== undefined)
  try {
    await pause(ENTER_MS)
    for (const member of members) say(member, room, message(member.mark))
    await pause(SPREAD_MS)
    return {
      ...crowdOf(members.map(({ mark }) => members.map((one) => hears(one, mark)))),
      ended: members.filter(({ heard }) => heard.ended).length,
    }
  } finally {
    for (const { wire } of members) wire.close()
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const hears = ({ heard }: Member, mark: string): boolean =>
  heard.texts.some((text) => text.includes(mark))

const enter = async (watch: Watch, room: string): Promise<Member | undefined> => {
  const { eyes, subject, protocol, timeoutMs, signal } = watch
  const codec = protocol.codec({ clientId: subject.clientId() })
  const heard: Heard = { texts: [], ended: false }
  const dialed = await eyes.dial(addressed(handshakeFor('base', subject), codec), {
    timeoutMs,
    signal,
    heard: (what) => {
      if (what.kind === 'text') note(heard, what.text, codec)
      if (what.kind === 'ended') heard.ended = true
    },
  })
  if (dialed.kind === 'missed') return undefined
  const { wire } = dialed
  const first = await firstFrameOf(subject.captured.full)
  if (first !== undefined) wire.send(first)
  const joining = codec.join?.([{ room }], 1)
  if (joining !== undefined) wire.send(joining)
  return { wire, codec, mark: subject.stranger(), heard }
}

const note = (heard: Heard, text: string, codec: Codec): void => {
  heard.texts.push(text)
  const incoming = codec.read(text)
  if (incoming.kind === 'joined' && incoming.epoch !== undefined) heard.epoch = incoming.epoch
}

/** Where rooms share a socket the frame names the room, and its epoch. */
const say = ({ wire, codec, heard }: Member, room: string, data: unknown): void => {
  const frame = codec.send(codec.join && room, data, 2)
  const text = typeof frame === 'string' ? frame : new TextDecoder().decode(frame)
  wire.send((heard.epoch !== undefined && codec.complete?.(text, heard.epoch)) || text)
}

/** @param heard `heard[i][j]`: what `i` said was heard by `j` */
export const crowdOf = (heard: readonly (readonly boolean[])[]): Omit<Crowd, 'ended'> => {
  const rows = heard.map((row, at) => row.map((each, other) => each || at === other).join())
  const groups = new Set(rows)
  // In a partition each row is that of all its members, and those only.
  const isPartition = heard.every((row, at) =>
    row.every((each, other) => (each || at === other) === (rows[at] === rows[other])),
  )
  return {
    kind: 'crowd',
    sockets: heard.length,
    ...(isPartition && { groups: groups.size }),
  }
}
