/** "Limits". */
import type { Check } from '../check.ts'
import { bytesOf } from '../guards.ts'
import { ensure, fail, isSame, NotChecked, show } from '../judging.ts'
import { joinedOf, type Member, refusedWith } from '../member.ts'
import type { Answer, Body } from '../peer.ts'
import type { Scene } from '../scene.ts'

const section = 'limits'
/** Beyond it a frame is not made: that would try the network, not the server. */
const MOST_BYTES = 8 * 2 ** 20
const HUGE_BYTES = 2 ** 20
/** Where `inFlight` is not told. */
const IN_FLIGHT = 100
/** Waits are whole milliseconds. */
const ROUNDED_MS = 2
/** A short wait may be over before the answers are here; another one may be longer, or the answers sooner. */
const FLOODS = 5

/** A send of exactly so many bytes of UTF-8, most of them in characters of two. */
function sendOf(member: Member, id: number, bytes: number): string {
  const body = member.write('')
  const rest = bytes - bytesOf(JSON.stringify({ ...body, id }))
  return JSON.stringify({
    ...body,
    data: 'é'.repeat(Math.floor(rest / 2)) + 'x'.repeat(rest % 2),
    id,
  })
}

/** An error too-large after which all is as before, or a close with 1009. */
async function ensureTooLarge(scene: Scene, member: Member, bytes: number): Promise<void> {
  const { peer } = member
  const id = peer.newId()
  peer.raw(sendOf(member, id, bytes), id)
  const error = await Promise.race([peer.take({ type: 'error' }, 'error or close'), peer.ended])
  if ('code' in error && typeof error.code === 'number') {
    ensure(
      error.code === 1009,
      `a frame of ${bytes} bytes was answered by a close with ${error.code}`,
    )
    await (await scene.member({}, member.room)).worksStill('a close with 1009')
    return
  }
  if (!('type' in error)) fail('neither came')
  refusedWith(error, 'too-large', `a frame of ${bytes} bytes`)
  await member.worksStill(`a frame of ${bytes} bytes`)
}

function frameBytes(scene: Scene): number {
  const { frameBytes: bytes } = scene.welcome.limits
  if (bytes > MOST_BYTES) throw new NotChecked(`the limit is above ${MOST_BYTES} bytes`)
  return bytes
}

interface Flooded {
  /** 0 and up, in the order in which they were sent. */
  readonly data: number
  readonly body: Body<'send'>
  readonly answer: Answer
  /** As the server said; `undefined` for what is not to come again. */
  readonly waitMs: number | undefined
  /** When it was here, in ms since the first one was sent: the server answered at some time between the two. */
  readonly afterMs: number
}

/** Sends so many at once, and then takes the answers. */
async function flood(member: Member, count: number): Promise<readonly Flooded[]> {
  const sentAt = performance.now()
  const sends = Array.from({ length: count }, (_, data) => {
    const body = member.write(data)
    return { data, body, id: member.peer.say(body) }
  })
  const answers: Flooded[] = []
  for (const { data, body, id } of sends) {
    const answer = await member.peer.answer(id, 'send among many')
    const waitMs = answer.type === 'error' ? answer.retryAfterMs : undefined
    answers.push({ data, body, answer, waitMs, afterMs: performance.now() - sentAt })
  }
  return answers
}

/** Those that are to come again do, in the order in which they were sent. */
async function comeAgain(member: Member, answers: readonly Flooded[]): Promise<void> {
  for (const { body, waitMs } of answers) if (waitMs !== undefined) await member.repeat(body)
  const heard = (await member.hearAll(answers.length)).map(({ data }) => data)
  const wanted = answers.map(({ data }) => data)
  ensure(isSame(heard, wanted), `repeated in order, the room heard ${show(heard)}`)
}

/** @returns whether one was refused, and answers came before its wait was over; else only the order could be seen */
function ensureOrder(answers: readonly Flooded[]): 'seen' | 'too-late' | 'none-refused' {
  const first = answers.find(({ waitMs }) => waitMs !== undefined)
  if (first?.waitMs === undefined) return 'none-refused'
  const endsMs = first.waitMs - ROUNDED_MS
  const behind = answers.slice(first.data + 1)
  for (const { data, answer, waitMs, afterMs } of behind) {
    const what = `send ${data}, behind send ${first.data} which is to come again,`
    refusedWith(answer, 'rate-limited', what)
    ensure(waitMs !== undefined, `${what} has no retryAfterMs`)
    // This one was answered before it was here, the first one after it was sent: nothing sooner is sure.
    ensure(afterMs + waitMs >= endsMs, `${what} has a retryAfterMs that ends sooner`)
  }
  return behind.some(({ afterMs }) => afterMs < endsMs) ? 'seen' : 'too-late'
}

export const LIMITS: readonly Check[] = [
  {
    id: 'limits.frame',
    section,
    level: 'must',
    title: 'A frame of `limits.frameBytes` bytes of UTF-8 is taken',
    fix: 'tell the limit that you keep: libraries, frameworks and proxies have limits of their own',
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const bytes = frameBytes(scene)
      const id = member.peer.newId()
      const text = sendOf(member, id, bytes)
      member.peer.sayAs({ ...member.write(''), id }, text)
      const answer = await member.peer.answer(id, 'send')
      ensure(answer.type === 'ok', `a frame of ${bytes} bytes was answered by ${show(answer)}`)
    },
  },
  {
    id: 'limits.frame-over',
    section,
    level: 'must',
    title: 'A frame above `limits.frameBytes` is answered by too-large, or by a close with 1009',
    fix: 'count the bytes of UTF-8, not characters, and answer error too-large',
    after: ['limits.frame'],
    async run(scene) {
      await ensureTooLarge(scene, await scene.member(), frameBytes(scene) + 1)
    },
  },
  {
    id: 'limits.frame-huge',
    section,
    level: 'must',
    title: 'So is a frame of 1 MiB, where the limit is lower',
    fix: 'answer error too-large, or close with 1009; the process and its other connections go on',
    after: ['limits.frame'],
    async run(scene) {
      if (frameBytes(scene) >= HUGE_BYTES) throw new NotChecked('the limit is above 1 MiB')
      const bystander = await scene.member()
      await ensureTooLarge(scene, await scene.member(), HUGE_BYTES)
      await bystander.worksStill('a frame of 1 MiB on another connection')
    },
  },
  {
    id: 'limits.in-flight',
    section,
    level: 'must',
    title:
      'Above `limits.inFlight` unanswered sends rate-limited answers; every send has its one answer',
    fix: 'answer each send by ok or by error rate-limited, and number only those with ok',
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const { peer } = member
      const sends = 2 * (scene.welcome.limits.inFlight ?? IN_FLIGHT)
      const ids = Array.from({ length: sends }, (_, data) => peer.say(member.write(data)))
      const seqs: number[] = []
      for (const id of ids) {
        const answer = await peer.answer(id, 'send among many')
        if (answer.type === 'ok' && answer.seq !== undefined) seqs.push(answer.seq)
        else refusedWith(answer, 'rate-limited', 'a send among many')
      }
      const heard = (await member.hearAll(seqs.length)).map(({ seq }) => seq)
      ensure(
        heard.every((seq, index) => seq === index + 1 && seqs.includes(seq)),
        `ok named the seqs ${show(seqs)}, and ${show(heard)} came`,
      )
    },
  },
  {
    id: 'send.come-again',
    section: 'send',
    level: 'must',
    title:
      'A send that was refused with `retryAfterMs` is overtaken by none of its client: those behind it come again, too',
    fix: 'refuse with rate-limited what its client has sent behind it in the room, until it comes again',
    after: ['limits.in-flight'],
    async run(scene) {
      const count = 2 * (scene.welcome.limits.inFlight ?? IN_FLIGHT)
      for (let left = FLOODS; left > 0; left -= 1) {
        const member = await scene.member()
        const answers = await flood(member, count)
        const order = ensureOrder(answers)
        if (order === 'none-refused' && left === FLOODS)
          throw new NotChecked(`the server refused none of ${count} sends with retryAfterMs`)
        await comeAgain(member, answers)
        if (order !== 'too-late') return
      }
    },
  },
  {
    id: 'limits.rooms',
    section,
    level: 'must',
    title: 'A connection may be in `limits.rooms` rooms; one more is too-large',
    fix: 'tell the limit that you keep, and answer a room beyond it by error too-large with `id` and `room`',
    after: ['join.many', 'leave.ok'],
    async run(scene) {
      const { rooms: most, roomsPerJoin } = scene.welcome.limits
      if (most === undefined) throw new NotChecked('the server tells no limit')
      if (most > scene.options.roomsUpTo)
        throw new NotChecked(`the limit is ${most}, more than roomsUpTo`)
      const peer = await scene.dial()
      const names = Array.from({ length: most }, () => scene.room())
      const step = Math.min(roomsPerJoin, 100)
      for (let from = 0; from < most; from += step) {
        const joins = names.slice(from, from + step).map((room) => ({ room }))
        for (const [room, answer] of await peer.join(joins)) joinedOf(answer, room)
      }
      const room = scene.room()
      const beyond = [...(await peer.join([{ room }])).values()][0]
      if (beyond === undefined) fail('the join of one room more was not answered')
      refusedWith(beyond, 'too-large', 'a join of one room more')
      await peer.ask({ type: 'leave', room: names[0] ?? '' })
      joinedOf((await peer.join([{ room }])).get(room), room)
    },
  },
]
