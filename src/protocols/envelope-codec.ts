import { isCount } from '../core/check.ts'
import { bytesOf, toJson } from '../core/json.ts'
import { isVerdict } from '../core/verdict.ts'
import { type CorrelatedAnswer, checkEnvelope, type Envelope } from './envelope.ts'
import { IGNORED, unreadable } from './guards.ts'
import type { Codec, Heartbeat, Incoming } from './protocol.ts'

/**
 * The codec of protocols whose frames are messages. Without state, so one serves every socket.
 *
 * @throws {TypeError | RangeError} which names the wrong field of the envelope
 */
export function envelopeCodec(
  envelope: Envelope = {},
  greeting?: (data: unknown) => boolean,
): Codec {
  checkEnvelope(envelope)
  const heartbeat = heartbeatOf(envelope)
  const { correlate } = envelope
  return {
    read: (frame) => read(frame, envelope, greeting),
    send: (_room, data) => encode(envelope, data),
    ...(correlate && {
      call: (type: string, payload: unknown, id: number) =>
        encodeText(envelope, correlate.request(type, payload, id)),
    }),
    ...(heartbeat && { heartbeat }),
  }
}

function heartbeatOf(envelope: Envelope): Heartbeat | undefined {
  if (!envelope.heartbeat) return undefined
  const { frame, everyMs, timeoutMs } = envelope.heartbeat
  return { frame: encodeText(envelope, frame), everyMs, timeoutMs }
}

function encodeText(envelope: Envelope, data: unknown): string {
  const frame = encode(envelope, data)
  if (typeof frame === 'string') return frame
  throw new TypeError('envelope.encode must make text of heartbeats and requests')
}

function encode(envelope: Envelope, data: unknown): string | ArrayBuffer {
  if (!envelope.encode) return bytesOf(data) ?? toJson(data)
  const frame: unknown = envelope.encode(data)
  if (typeof frame === 'string') return frame
  const bytes = ArrayBuffer.isView(frame) ? undefined : bytesOf(frame)
  if (bytes) return bytes
  throw new TypeError('envelope.encode must return a string or an ArrayBuffer')
}

/** `step` says who threw: what was thrown may quote the frame, so it is not told. */
function read(
  frame: string | ArrayBuffer,
  envelope: Envelope,
  greeting: ((data: unknown) => boolean) | undefined,
): Incoming {
  let step = 'decode'
  try {
    const data = typeof frame === 'string' ? decode(envelope, frame) : frame
    step = 'verdict'
    const verdict = envelope.verdict?.(data)
    if (verdict) return isVerdict(verdict) ? { kind: 'verdict', verdict } : unreadable(step)
    step = 'answer'
    const answer = envelope.correlate?.answer(data)
    if (answer) return readAnswer(answer) ?? unreadable(step)
    if (envelope.heartbeat?.answer?.(data)) return IGNORED
    step = 'greeting'
    return greeting?.(data) ? { kind: 'message', data, greeting: true } : { kind: 'message', data }
  } catch {
    return unreadable(`${step}() threw`)
  }
}

const decode = (envelope: Envelope, frame: string): unknown =>
  envelope.decode ? envelope.decode(frame) : decodeByDefault(frame)

/** With what JSON can begin. Spares the costly exception for most plain text. */
const JSON_STARTS = '{["-0123456789tfn \t\r\n'

function decodeByDefault(frame: string): unknown {
  if (!JSON_STARTS.includes(frame.charAt(0))) return frame
  try {
    return JSON.parse(frame)
  } catch {
    return frame
  }
}

function readAnswer(answer: CorrelatedAnswer): Incoming | undefined {
  const { id, ok, data, code = 'error', message = '' } = answer
  if (!isCount(id)) return undefined
  return ok
    ? { kind: 'ok', id, data }
    : { kind: 'error', id, code: `${code}`, message: `${message}` }
}
