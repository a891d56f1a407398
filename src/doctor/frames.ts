/** Frames of RFC 6455, as far as a look at a connection needs them. Pure. */

export interface Frame {
  readonly opcode: number
  readonly payload: Uint8Array
}

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** Beyond that nothing is kept: the doctor does not need what stands in it. */
const LONGEST = 2 ** 24

/** Cuts what a server sends into frames. Pieces of a message come as frames of their own. */
export class FrameReader {
  #pending: Uint8Array = new Uint8Array()

  push(bytes: Uint8Array): Frame[] {
    this.#pending = join(this.#pending, bytes)
    const frames: Frame[] = []
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame)
    return frames
  }

  #take(): Frame | undefined {
    const head = headOf(this.#pending)
    if (head === undefined || head.length > LONGEST) return undefined
    const end = head.start + head.length
    if (this.#pending.length < end) return undefined
    const payload = this.#pending.slice(head.start, end)
    this.#pending = this.#pending.slice(end)
    return { opcode: head.opcode, payload }
  }
}

/** Servers do not mask; where one does, its payload is of no use. */
const headOf = (
  bytes: Uint8Array,
): { opcode: number; start: number; length: number } | undefined => {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const short = second & 0x7f
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0
  const start = 2 + extra + (second & 0x80 ? 4 : 0)
  if (bytes.length < start) return undefined
  const length =
    extra === 0 ? short : bytes.slice(2, 2 + extra).reduce((sum, b) => sum * 256 + b, 0)
  return { opcode: first & 0x0f, start, length }
}

/** One whole frame of a client: masked, as it must be. */
export const frameOf = (opcode: number, payload: Uint8Array, mask: Uint8Array): Uint8Array => {
  const { length } = payload
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (length >>> shift) & 255)]
  const [short = 0, ...long] = size
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return join(Uint8Array.of(0x80 | opcode, 0x80 | short, ...long, ...mask), masked)
}

/** 1005 where a close frame has none. */
export const closeCodeOf = ({ payload: [high, low] }: Frame): number =>
  high === undefined || low === undefined ? 1005 : high * 256 + low

const join = (one: Uint8Array, other: Uint8Array): Uint8Array => {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
