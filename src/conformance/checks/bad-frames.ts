/** Frames that are wrong: each is answered by error bad-frame, and changes nothing else. */

import type { Check } from '../check.ts'
import { CLIENT_FRAMES, type ClientFrame, type ClientType } from '../frames.ts'
import { bytesOf } from '../guards.ts'
import { NO_TOKEN } from '../handshake.ts'
import { ensure, NotChecked, show } from '../judging.ts'
import type { Member } from '../member.ts'
import type { Scene } from '../scene.ts'
import { changesOf, type Members, WRONG_COUNTS } from './wrong-values.ts'

const section = 'error'
const MOST_DEPTH = 60_000
/** Of a report; the rest is counted. */
const MOST_PROBLEMS = 3

/** What is wrong with it, and its text. */
type Wrong = readonly [what: string, text: string, id?: number | undefined]

/** Sends one wrong frame. @returns what was wrong with the answer */
async function problemOf(member: Member, [what, text, id]: Wrong): Promise<string | undefined> {
  const { peer } = member
  peer.raw(text, id)
  // Answers may come in another order, so silence is believed only after a pause.
  await peer.ask({ type: 'ping' })
  if (peer.here({ type: 'pong' })) return `${what}: answered by a pong`
  const came = await peer.soon({})
  // What else it led to is not taken for the answer of the next one.
  while (peer.here({}) !== undefined);
  if (came === undefined) return `${what}: not answered`
  if (came.type !== 'error' || came.code !== 'bad-frame')
    return `${what}: answered by ${show(came)}`
  if (id !== undefined && came.id !== id) return `${what}: the error did not name the id ${id}`
  return undefined
}

async function ensureAllRefused(member: Member, wrong: readonly Wrong[]): Promise<void> {
  const problems: string[] = []
  for (const each of wrong) {
    const problem = await problemOf(member, each).catch(
      (error: Error) => `${each[0]}: ${error.message}`,
    )
    if (problem !== undefined) problems.push(problem)
    // There is no connection left to go on with.
    if (member.peer.ending !== undefined) break
  }
  const rest = problems.length - MOST_PROBLEMS
  const shown = problems.slice(0, MOST_PROBLEMS).join('; ') + (rest > 0 ? `; and ${rest} more` : '')
  ensure(problems.length === 0, shown)
  await member.worksStill('frames that were wrong')
}

/** A right frame of each type, to be made wrong. */
function rightFrame(type: ClientType, { room, epoch, author }: Member): Members {
  const frames: Readonly<Record<ClientType, Members>> = {
    auth: { token: NO_TOKEN },
    join: { rooms: [{ room }] },
    leave: { room },
    send: { room, epoch, clientId: author.id, n: 1_000_000, data: null },
    call: { method: 'conformance.none' },
    history: { room, limit: 1 },
    ping: {},
  }
  return { type, ...frames[type] }
}

/** Each required member left out, and put in wrong ways that its guard knows. */
function wrongFrames(type: ClientType, member: Member, more: readonly Members[]): readonly Wrong[] {
  const right = rightFrame(type, member)
  const { required } = CLIENT_FRAMES[type]
  const wrong: Wrong[] = []
  const add = (what: string, frame: Members, id?: number): void => {
    wrong.push([`${type} ${what}`, JSON.stringify(frame), id])
  }
  const fresh = (): number => member.peer.newId()
  add('without id', right)
  for (const id of WRONG_COUNTS) add(`with the id ${show(id)}`, { ...right, id })
  for (const name of Object.keys(required).filter((each) => each !== 'id')) {
    const { [name]: _, ...rest } = right
    const id = fresh()
    add(`without ${name}`, { ...rest, id }, id)
  }
  for (const change of more) {
    const id = fresh()
    add(`with ${show(change)}`, { ...right, ...change, id }, id)
  }
  return wrong
}

const NAMED: Readonly<Partial<Record<ClientType, 'auth' | 'call' | 'history'>>> = {
  auth: 'auth',
  call: 'call',
  history: 'history',
}

const ofType = (type: ClientType): Check => {
  const feature = NAMED[type]
  return {
    id: `frames.wrong-${type}`,
    section,
    level: 'must',
    title: `Wrong ${type} frames are answered by bad-frame with their id; connection and rooms stay`,
    fix: 'check each member before you use it (in Python true is an int), and answer error bad-frame with the id where it is a count',
    after: ['send.others'],
    ...(feature && { needs: [feature] }),
    run: async (scene) => {
      const member = await scene.member()
      const changes = changesOf(member.room, scene.has('presence'))
      await ensureAllRefused(member, wrongFrames(type, member, changes[type]))
    },
  }
}

const NO_FRAMES: readonly string[] = [
  ...['', ' ', '{', '{"type":"ping","id":1', "{'type':'ping'}", 'ping', '\u0000', '\ufeff{}'],
  ...['null', 'true', '5', '"ping"', '[]', '[{"type":"ping","id":1}]', '{}', '{"id":1}'],
  ...['{"type":5}', '{"type":null}', '{"type":["ping"]}', '{"Type":"ping"}'],
  ...['{"__proto__":{"type":"ping","id":1}}', '{"type":"ping","__proto__":{"id":1}}'],
  ...['{"type":"ping","id":NaN}', '{"type":"ping","id":Infinity}', '{"type":"ping","id":01}'],
]
const NO_TYPES = ['__proto__', 'constructor', 'toString', 'PING', 'welcome', 'message', 'ok', '']

export const BAD_FRAMES: readonly Check[] = [
  {
    id: 'frames.no-frame',
    section,
    level: 'must',
    title:
      'What is no JSON object with a known type is answered by bad-frame; connection and rooms stay',
    fix: 'catch the error of your JSON parser; take only objects whose own member `type` is one of the list',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const wrong = NO_FRAMES.map((text): Wrong => [show(text), text])
      const unknown = NO_TYPES.map((type): Wrong => {
        const id = member.peer.newId()
        return [`type ${show(type)}`, JSON.stringify({ type, id, room: member.room }), id]
      })
      await ensureAllRefused(member, [...wrong, ...unknown])
    },
  },
  // The keys of that record are these types, and no others.
  ...(Object.keys(CLIENT_FRAMES) as ClientType[]).map(ofType),
  {
    id: 'frames.binary',
    section,
    level: 'must',
    title: 'A binary frame is answered by bad-frame; connection and rooms stay',
    fix: 'answer a binary frame by error bad-frame (Channels: bytes_data; FastAPI: receive(), not receive_text())',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      member.peer.raw(new TextEncoder().encode('{"type":"ping","id":1}'))
      const { code } = await member.peer.take({ type: 'error' }, 'error')
      ensure(code === 'bad-frame', `it was answered by error ${code}`)
      await member.worksStill('a binary frame')
    },
  },
  {
    id: 'frames.not-utf8',
    section,
    level: 'must',
    title: 'Text that is not UTF-8 is answered by bad-frame or ends its connection, and no other',
    fix: 'leave it to the WebSocket library, which closes with 1007; see that nothing else ends',
    needs: ['any-bytes'],
    after: ['send.others'],
    async run(scene) {
      const [victim, bystander] = await scene.pair()
      victim.peer.rawText(Uint8Array.from([0x22, 0xff, 0xc0, 0x22]))
      const came = await Promise.race([victim.peer.take({ type: 'error' }), victim.peer.ended])
      ensure(typeof came.code === 'number' || came.code === 'bad-frame', `it was ${show(came)}`)
      await bystander.worksStill('invalid UTF-8 on another connection')
      await scene.dial()
    },
  },
  {
    id: 'frames.deep',
    section,
    level: 'must',
    title: 'JSON that is nested deep is answered, and connection and rooms stay',
    fix: 'catch the error of the JSON parser and writer (Python: RecursionError), and answer error bad-frame',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const { peer } = member
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '0}'],
      ] as const) {
        const id = peer.newId()
        const frame: ClientFrame = { ...member.write(null), id }
        const around = JSON.stringify(frame)
        const depth = depthFor(scene, bytesOf(around), open.length + close.length)
        const nest = open.repeat(depth) + (open === '[' ? '' : '0') + close.slice(-1).repeat(depth)
        peer.sayAs(frame, around.replace('"data":null', `"data":${nest}`))
        const answer = await peer.answerIfRead(id, 'send nested deep')
        ensure(answer.type === 'ok' || answer.type === 'error', `it was ${show(answer)}`)
        if (answer.type === 'ok') await member.hear()
      }
      await member.worksStill('deep nesting')
    },
  },
  {
    id: 'frames.numbers',
    section,
    level: 'must',
    title: 'NaN and Infinity are no JSON; a number beyond a double makes no frame that is no JSON',
    fix: 'refuse them with bad-frame (Python: json.loads(parse_constant=…), json.dumps(allow_nan=False))',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const { peer } = member
      const text = (id: number, data: string): string =>
        JSON.stringify({ ...member.write(null), id }).replace('"data":null', `"data":${data}`)
      const wrong = ['NaN', 'Infinity', '-Infinity'].map((data): Wrong => {
        return [data, text(peer.newId(), data)]
      })
      await ensureAllRefused(member, wrong)
      const frame: ClientFrame = { ...member.write(null), id: peer.newId() }
      peer.sayAs(frame, text(frame.id, '1e999'))
      const answer = await peer.answerIfRead(frame.id, 'send of 1e999')
      if (answer.type === 'ok') await member.hear()
      await member.worksStill('1e999')
    },
  },
  {
    id: 'frames.half-character',
    section,
    level: 'must',
    title:
      'The escape of half a character, which UTF-8 cannot hold, is answered; connection and rooms stay',
    fix: 'escape it again on its way out (json.dumps does by default), or refuse the frame with bad-frame',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const { peer } = member
      const answer = await peer.answerIfRead(peer.say(member.write('\ud800')), 'send')
      if (answer.type === 'ok') await member.hear()
      else ensure(answer.type === 'error' && answer.code === 'bad-frame', `it was ${show(answer)}`)
      await member.worksStill('half a character')
    },
  },
]

/** As deep as a frame may be long. */
function depthFor(scene: Scene, used: number, each: number): number {
  const depth = Math.floor((scene.welcome.limits.frameBytes - used - 10) / each)
  if (depth < 100) throw new NotChecked('frames may not be long enough')
  return Math.min(depth, MOST_DEPTH)
}
