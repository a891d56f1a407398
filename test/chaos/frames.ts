/** Cuts what a server sends into its HTTP head and WebSocket frames, as far as the proxy must know them. */

export type Unit =
  | { readonly kind: 'head'; readonly bytes: Buffer }
  | { readonly kind: 'text'; readonly bytes: Buffer; readonly text: string }
  /** Control frames, pieces of messages, and what is no WebSocket at all. */
  | { readonly kind: 'other'; readonly bytes: Buffer }

const HEAD_END = '\r\n\r\n'
const WHOLE_TEXT = 0x81
const CLOSE = 0x88
const LENGTH_16 = 126
const LENGTH_64 = 127

export class ServerFrames {
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
      // Other answers keep the connection for further requests, or have a body: nothing to look into.
      this.#reading = bytes.toString('latin1').startsWith('HTTP/1.1 101') ? 'frames' : 'raw'
      return { kind: 'head', bytes }
    }
    const size = frameSize(this.#rest)
    if (size === undefined || this.#rest.length < size.header + size.payload) return undefined
    const bytes = this.#take(size.header + size.payload)
    return bytes[0] === WHOLE_TEXT
      ? { kind: 'text', bytes, text: bytes.toString('utf8', size.header) }
      : { kind: 'other', bytes }
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }
}

/** `undefined` while the header is not whole. Servers mask nothing. */
function frameSize(bytes: Buffer): { header: number; payload: number } | undefined {
  const length = bytes[1]
  if (length === undefined) return undefined
  if (length < LENGTH_16) return { header: 2, payload: length }
  const header = length === LENGTH_64 ? 10 : 4
  if (bytes.length < header) return undefined
  const payload = length === LENGTH_64 ? Number(bytes.readBigUInt64BE(2)) : bytes.readUInt16BE(2)
  return { header, payload }
}

/** A close frame as a server sends it. */
export function closeFrame(code: number): Buffer {
  const frame = Buffer.from([CLOSE, 2, 0, 0])
  frame.writeUInt16BE(code, 2)
  return frame
}

/** The `type` of a frame of the rooms protocol, and of an `ok` whether it answers a send. */
export function typeOf(text: string): { type: string; code?: string; answersSend: boolean } {
  try {
    const frame = JSON.parse(text) as { type?: unknown; code?: unknown; seq?: unknown }
    return {
      type: String(frame.type),
      ...(typeof frame.code === 'string' && { code: frame.code }),
      answersSend: frame.type === 'ok' && frame.seq !== undefined,
    }
  } catch {
    return { type: '', answersSend: false }
  }
}
