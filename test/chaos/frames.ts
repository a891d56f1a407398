/** Cuts what one side sends into its HTTP head and WebSocket frames, as far as the proxy must know them. */

export type Unit =
  | { readonly kind: 'head'; readonly bytes: Buffer }
  | { readonly kind: 'text'; readonly bytes: Buffer; readonly text: string }
  /** Control frames, pieces of messages, and what is no WebSocket at all. */
  | { readonly kind: 'other'; readonly bytes: Buffer }

/** The answer that grants a WebSocket, or the request for it. */
const UPGRADE = /^(HTTP\/1\.1 101|GET) /
const HEAD_END = '\r\n\r\n'
const WHOLE_TEXT = 0x81
const CLOSE = 0x88
const LENGTH_16 = 126
const LENGTH_64 = 127
/** Beside the length: the client's frames carry a key of four bytes. */
const MASKED = 0x80
const KEY_BYTES = 4

export class Frames {
  #rest: Buffer = Buffer.alloc(0)
  #reading: 'head' | 'frames' | 'raw' = 'head'

  /** The units that are whole now, in order. Their bytes together are the bytes that came. */
  push(bytes: Buffer): Unit[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const units: Unit[] = []
    for (let unit = this.#next(); unit !== undefined; unit = this.#next()) units.push(unit)
    return units
  }

  /** The stream ended: what is left of it. */
  rest(): Buffer {
    return this.#take(this.#rest.length)
  }

  #next(): Unit | undefined {
    if (this.#rest.length === 0) return undefined
    if (this.#reading === 'raw') return { kind: 'other', bytes: this.#take(this.#rest.length) }
    if (this.#reading === 'head') {
      const end = this.#rest.indexOf(HEAD_END)
      if (end < 0) return undefined
      const bytes = this.#take(end + HEAD_END.length)
      // Others keep the connection for further requests, or have a body: nothing to look into.
      this.#reading = UPGRADE.test(bytes.toString('latin1')) ? 'frames' : 'raw'
      return { kind: 'head', bytes }
    }
    const size = frameSize(this.#rest)
    if (size === undefined || this.#rest.length < size.header + size.payload) return undefined
    const bytes = this.#take(size.header + size.payload)
    return bytes[0] === WHOLE_TEXT
      ? { kind: 'text', bytes, text: textOf(bytes, size.header) }
      : { kind: 'other', bytes }
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }
}

const isMasked = (bytes: Buffer): boolean => ((bytes[1] ?? 0) & MASKED) !== 0

/** `undefined` while the header is not whole. */
function frameSize(bytes: Buffer): { header: number; payload: number } | undefined {
  if (bytes.length < 2) return undefined
  const length = bytes.readUInt8(1) & ~MASKED
  const long = length === LENGTH_64 ? 8 : length === LENGTH_16 ? 2 : 0
  const header = 2 + long + (isMasked(bytes) ? KEY_BYTES : 0)
  if (bytes.length < header) return undefined
  if (long === 0) return { header, payload: length }
  return { header, payload: long === 8 ? Number(bytes.readBigUInt64BE(2)) : bytes.readUInt16BE(2) }
}

function textOf(frame: Buffer, header: number): string {
  if (!isMasked(frame)) return frame.toString('utf8', header)
  const payload = Buffer.from(frame.subarray(header))
  for (const [index, byte] of payload.entries())
    payload[index] = byte ^ frame.readUInt8(header - KEY_BYTES + (index % KEY_BYTES))
  return payload.toString('utf8')
}

/** A close frame as a server sends it. */
export function closeFrame(code: number): Buffer {
  const frame = Buffer.from([CLOSE, 2, 0, 0])
  frame.writeUInt16BE(code, 2)
  return frame
}

/** What the proxy must know of a frame of the rooms protocol. */
export interface FrameHead {
  readonly type: string
  readonly id?: number
  readonly code?: string
  readonly answersSend: boolean
}

export function headOf(text: string): FrameHead {
  try {
    const frame = JSON.parse(text) as Record<'type' | 'id' | 'code' | 'seq', unknown>
    return {
      type: String(frame.type),
      ...(typeof frame.id === 'number' && { id: frame.id }),
      ...(typeof frame.code === 'string' && { code: frame.code }),
      answersSend: frame.type === 'ok' && frame.seq !== undefined,
    }
  } catch {
    return { type: '', answersSend: false }
  }
}
