/**
 * A protocol of the user's own: what its functions give is judged here, once for all who call them. Those of this
 * package are right as they are, and need not carry this.
 */
import { duration, hasMethods, isCount, isObject } from '../core/check.ts'
import { bytesOf } from '../core/json.ts'
import { isVerdict } from '../core/verdict.ts'
import type { Codec, Incoming, JoinRequest } from '../protocols/protocol.ts'
import type { LinesMaker } from './lines.ts'
import { oneLine } from './one-line.ts'
import { linePerRoom } from './room-lines.ts'
import { sharedLine } from './shared-line.ts'
import { fault, wrong } from './wrong.ts'

type Test = (value: unknown) => boolean

const isString: Test = (value) => typeof value === 'string'
const isDuration: Test = (value) => duration[0](value)
const isMs: Test = (value) => Number.isFinite(value) && Number(value) >= 0
const isLimits: Test = (value) =>
  isObject(value) && Object.values(value).every((each) => Number(each) > 0)
const listOf =
  (fields: string): Test =>
  (value) =>
    Array.isArray(value) && value.every((each) => faultIn(each, fields) === undefined)

/** A field means the same in all that is read. */
const FIELDS: Readonly<Record<string, Test>> = {
  user: isString,
  clientId: isString,
  room: isString,
  epoch: isString,
  code: isString,
  message: isString,
  detail: isString,
  frame: isString,
  id: isCount,
  seq: isCount,
  version: isCount,
  withinMs: isMs,
  retryAfterMs: isMs,
  resumeWindowMs: isMs,
  everyMs: isDuration,
  timeoutMs: isDuration,
  features: (value) => Array.isArray(value) && value.every(isString),
  limits: isLimits,
  meta: (value) => faultIn(value, 'seq?') === undefined,
  messages: /* @__PURE__ */ listOf('meta?'),
  members: /* @__PURE__ */ listOf('user clientId'),
  joins: /* @__PURE__ */ listOf('user clientId'),
  leaves: /* @__PURE__ */ listOf('user clientId'),
  verdict: isVerdict,
}

/** The fields that are looked at, by kind. */
const KINDS: Readonly<Record<string, string>> = {
  welcome: 'user? limits? features? resumeWindowMs?',
  message: 'room? meta?',
  joined: 'room id? epoch? seq? messages? members? version?',
  presence: 'room version joins leaves',
  expiring: '',
  drain: 'withinMs',
  ok: 'id seq?',
  error: 'code message id? room? retryAfterMs?',
  verdict: 'verdict id?',
  ignored: '',
  unreadable: 'detail',
}

/** @returns the first field that is missing, or wrong; `''` for what is no object */
const faultIn = (given: unknown, fields: string): string | undefined => {
  if (!isObject(given)) return ''
  return fields.split(' ').find((each) => {
    const [field = ''] = each.split('?')
    const value = given[field]
    return value === undefined ? each === field && field : !FIELDS[field]?.(value)
  })
}

const incomingOf = (given: unknown): Incoming => {
  const kind = isObject(given) ? given['kind'] : undefined
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
    throw wrong('protocol.read()', given, `a kind: ${Object.keys(KINDS).join(', ')}`)
  const field = faultIn(given, KINDS[kind] ?? '')
  if (field) throw wrong('protocol.read()', given, `'${kind}' a right '${field}'`)
  // Judged, member by member.
  return given as Incoming
}

const frameOf = (name: string, given: unknown): string | ArrayBuffer => {
  const frame = typeof given === 'string' ? given : bytesOf(given)
  if (frame === undefined) throw wrong(name, given, 'a string, or an ArrayBuffer')
  return frame
}

const WRITERS = ['send', 'join', 'leave', 'history', 'complete', 'auth', 'call'] as const
type Writer = (...given: unknown[]) => unknown

const listed = (given: unknown): readonly string[] => {
  if (given !== undefined && !FIELDS['features']?.(given))
    throw wrong('protocol.address()', given, 'a list of rooms')
  // Judged.
  return (given ?? []) as readonly string[]
}

/**
 * @param report hears of what keeps no promise waiting
 * @throws {TypeError} what is no codec
 */
const judged = (codec: Codec, report: (error: unknown) => void): Codec => {
  if (!hasMethods(codec, 'read', 'send'))
    throw wrong('protocol.codec()', codec, 'an object with read() and send()')
  const writers: Partial<Record<(typeof WRITERS)[number], Writer>> = {}
  for (const name of WRITERS) {
    // Whatever they are given, they give a frame.
    const write = codec[name] as Writer | undefined
    if (write !== undefined)
      writers[name] = (...given) => frameOf(`protocol.${name}()`, write.apply(codec, given))
  }
  const own = {
    ...writers,
    read: (frame: string | ArrayBuffer) => incomingOf(codec.read(frame)),
    checkJoin: (request: Pick<JoinRequest, 'params' | 'presence'>) => codec.checkJoin?.(request),
    address: (url: URL, rooms: Iterable<string>) => listed(codec.address?.(url, rooms)),
    // It may be known after the welcome only.
    get heartbeat() {
      try {
        const { heartbeat } = codec
        if (heartbeat !== undefined && faultIn(heartbeat, 'frame everyMs timeoutMs?') !== undefined)
          throw wrong('protocol.heartbeat', heartbeat, '{ frame, everyMs, timeoutMs }')
        return heartbeat
      } catch (error) {
        report(fault('protocol.heartbeat', error))
        return undefined
      }
    },
  }
  return own as Codec
}

const judging = ({ kind, make }: LinesMaker): LinesMaker => ({ kind, make, judge: judged })

/** One socket, and no rooms on it. */
export const withoutRooms = /* @__PURE__ */ judging(oneLine)
/** Every room has a socket of its own, with its name in the URL. */
export const socketPerRoom = /* @__PURE__ */ judging(linePerRoom)
/** One socket carries all rooms; the server joins and leaves them by frames. */
export const roomsOnOneSocket = /* @__PURE__ */ judging(sharedLine)
