/** "call" and "history". */
import type { Check } from '../check.ts'
import { ensure, isSame, NotChecked, show } from '../judging.ts'
import { type Member, refusedWith } from '../member.ts'
import type { Answer } from '../peer.ts'

const METHODS = ['conformance.no-such-method', '__proto__', 'constructor', 'toString']
/** So many messages are written to go beyond the limit, and no more. */
const MOST_HISTORY = 500

export const CALL: readonly Check[] = [
  {
    id: 'call.reply',
    section: 'call',
    level: 'must',
    title: 'A call is answered by reply; data that is absent is null',
    fix: 'answer a call by reply with the id and `data`, null where there is none',
    needs: ['call', 'echo-method'],
    after: ['welcome.frame'],
    async run(scene) {
      const peer = await scene.dial()
      const { echoMethod: method = '' } = scene.options
      for (const data of [{ item: 12, list: [null] }, 'text', 0, null]) {
        const answer = await peer.ask({ type: 'call', method, data })
        ensure(isReply(answer, data), `${show(data)} was answered by ${show(answer)}`)
      }
      const answer = await peer.ask({ type: 'call', method })
      ensure(isReply(answer, null), `a call without data was answered by ${show(answer)}`)
    },
  },
  {
    id: 'call.unknown',
    section: 'call',
    level: 'must',
    title: 'A method that does not exist is answered by unknown-method',
    fix: 'keep methods in a Map, and answer other names by error unknown-method',
    needs: ['call'],
    after: ['welcome.frame'],
    async run(scene) {
      const peer = await scene.dial()
      for (const method of METHODS)
        refusedWith(await peer.ask({ type: 'call', method }), 'unknown-method', `call ${method}`)
    },
  },
]

const isReply = (answer: Answer, data: unknown): boolean =>
  answer.type === 'reply' && isSame(answer.data, data)

interface Page {
  readonly seqs: readonly number[]
  readonly more: boolean
}

async function page(member: Member, limit: number, before?: number): Promise<Page> {
  const { peer, room } = member
  const answer = await peer.ask({
    type: 'history',
    room,
    limit,
    ...(before === undefined ? {} : { before }),
  })
  ensure(answer.type === 'history', `history was answered by ${show(answer)}`)
  ensure(answer.room === room && answer.epoch === member.epoch, `it was of ${show(answer.room)}`)
  return { seqs: answer.messages.map(({ seq }) => seq), more: answer.more }
}

export const HISTORY: readonly Check[] = [
  {
    id: 'history.pages',
    section: 'history',
    level: 'must',
    title:
      'history gives the newest messages, or those before a seq: oldest first, without a hole, with `more`',
    fix: 'answer the last `limit` messages below `before`, oldest first; `more` where older ones are remembered',
    needs: ['history'],
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      await member.sayAll(['one', 'two', 'three', 'four', 'five'])
      const { history: most = 5 } = scene.welcome.limits
      const wanted: readonly (readonly [limit: number, before: number | undefined, Page])[] = [
        [2, undefined, { seqs: [4, 5], more: true }],
        [2, 4, { seqs: [2, 3], more: true }],
        [2, 3, { seqs: [1, 2], more: false }],
        [2, 1, { seqs: [], more: false }],
        [2, 1_000_000, { seqs: [4, 5], more: true }],
        [5, undefined, { seqs: [1, 2, 3, 4, 5], more: false }],
      ]
      for (const [limit, before, expected] of wanted) {
        if (limit > most) continue
        const got = await page(member, limit, before)
        const asked = `limit ${limit}, before ${before ?? 'absent'}`
        ensure(isSame(got, expected), `${asked}: ${show(got)} came, not ${show(expected)}`)
      }
    },
  },
  {
    id: 'history.messages',
    section: 'history',
    level: 'must',
    title: 'Messages of history are as they were delivered',
    fix: 'store seq, from, clientId, n, at and data, and give them back as they were',
    needs: ['history'],
    after: ['history.pages'],
    async run(scene) {
      const member = await scene.member()
      await member.say({ deep: [null, 'é'] })
      const { type, room, ...live } = await member.hear()
      const answer = await member.peer.ask({ type: 'history', room, limit: 1 })
      const stored = answer.type === 'history' ? answer.messages[0] : answer
      ensure(isSame(stored, live), `after ${type} ${show(live)}, history held ${show(stored)}`)
    },
  },
  {
    id: 'history.empty',
    section: 'history',
    level: 'must',
    title: 'The history of a room without messages is empty',
    fix: 'answer an empty list and more: false',
    needs: ['history'],
    after: ['join.one'],
    async run(scene) {
      const got = await page(await scene.member(), 1)
      ensure(isSame(got, { seqs: [], more: false }), `it was ${show(got)}`)
    },
  },
  {
    id: 'history.not-joined',
    section: 'history',
    level: 'must',
    title: 'The history of a room that is not joined is answered by not-joined',
    fix: 'look whether this connection is in the room',
    needs: ['history'],
    after: ['send.ok'],
    async run(scene) {
      const [stranger, member] = [await scene.member(), await scene.member()]
      await member.say('secret')
      const { room } = member
      const answer = await stranger.peer.ask({ type: 'history', room, limit: 1 })
      refusedWith(answer, 'not-joined', 'history')
    },
  },
  {
    id: 'limits.history',
    section: 'limits',
    level: 'must',
    title: 'More than `limits.history` messages are not given at once',
    fix: 'answer a greater `limit` by error, or by as many messages as you told',
    needs: ['history'],
    after: ['history.pages'],
    async run(scene) {
      const { history: most = Number.POSITIVE_INFINITY } = scene.welcome.limits
      if (most > MOST_HISTORY)
        throw new NotChecked(`the limit is above ${MOST_HISTORY}, or not told`)
      const member = await scene.member()
      for (let said = 0; said <= most; ) said += (await member.sayAll(scene.batch(50))).length
      const answer = await member.peer.ask({ type: 'history', room: member.room, limit: most + 1 })
      const isRefused =
        answer.type === 'error' && (answer.code === 'bad-frame' || answer.code === 'too-large')
      const isPage = answer.type === 'history' && answer.messages.length <= most
      ensure(isRefused || isPage, `more than ${most} came: ${show(answer)}`)
    },
  },
]
