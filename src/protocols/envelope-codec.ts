import { isCount } from '../core/check.ts'
import { bytesOf, toJson } from '../core/json.ts'
import { isVerdict } from '../core/verdict.ts'
import { fault, there, wrong } from '../links/wrong.ts'
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
        encodeText(
          envelope,
          there('correlate.request()', correlate.request(type, payload, id), 'a frame'),
        ),
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
  throw wrong('envelope.encode()', frame, 'text for heartbeats and requests')
}

function encode(envelope: Envelope, data: unknown): string | ArrayBuffer {
  if (!envelope.encode) return bytesOf(data) ?? toJson(data)
  const frame: unknown = envelope.encode(data)
  if (typeof frame === 'string') return frame
  const bytes = ArrayBuffer.isView(frame) ? undefined : bytesOf(frame)
  if (bytes) return bytes
  throw wrong('envelope.encode()', frame, 'a string or an ArrayBuffer')
}

/** `step` says who threw: what was thrown may quote the frame, so it is not told. */
function read(
  frame: string | ArrayBuffer,
  envelope: Envelope,
  greeting: ((data: unknown) => boolean) | undefined,
): Incoming {
  let step = 'envelope.decode()'
  try {
    const data = typeof frame === 'string' ? decode(envelope, frame) : frame
    step = 'envelope.verdict()'
    const verdict = envelope.verdict?.(data)
    if (verdict) {
      if (isVerdict(verdict)) return { kind: 'verdict', verdict }
      throw wrong(step, verdict, 'a verdict, or undefined')
    }
    step = 'correlate.answer()'
    const answer = envelope.correlate?.answer(data)
    if (answer) return readAnswer(answer)
    step = 'heartbeat.answer()'
    if (isTrue(step, envelope.heartbeat?.answer?.(data))) return IGNORED
    step = 'greeting()'
    return isTrue(step, greeting?.(data))
      ? { kind: 'message', data, greeting: true }
      : { kind: 'message', data }
  } catch (error) {
    return unreadable(fault(step, error).message)
  }
}

/** A promise is true whatever comes of it. */
const isTrue = (name: string, given: unknown): boolean => {
  if (typeof given === 'object' && given !== null) throw wrong(name, given, 'true or false')
  return !!given
}

const decode = (envelope: Envelope, frame: string): unknown =>
  envelope.decode
    ? there('envelope.decode()', envelope.decode(frame), 'a value')
    : decodeByDefault(frame)

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

function readAnswer(answer: CorrelatedAnswer): Incoming {
  const { id, ok, data, code = 'error', message = '' } = answer
  if (!isCount(id))
    throw wrong('correlate.answer()', answer, '{ id, ok, … } with the id of a request')
  return ok
    ? { kind: 'ok', id, data }
    : { kind: 'error', id, code: `${code}`, message: `${message}` }
}
