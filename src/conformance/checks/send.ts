/** "send". */
import type { Check } from '../check.ts'
import { ensure, isSame, show } from '../judging.ts'
import { refusedWith } from '../member.ts'

const section = 'send'

const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.1, 1e21, 1e-7, '', 'é 日本 🎉', '\u2028"\\/\u0000\u007f'],
  ...[[], {}, [[[]]], [null, { a: [1, { b: null }] }], { '': { ' ': 0 } }],
  JSON.parse('{"__proto__":{"toString":1},"constructor":null}'),
]

export const SEND: readonly Check[] = [
  {
    id: 'send.ok',
    section,
    level: 'must',
    title: 'A send is answered by ok with its seq: 1, 2, 3 … without holes',
    fix: 'number the messages of each room from 1 on, and answer ok with `seq`',
    after: ['join.one'],
    async run(scene) {
      const member = await scene.member()
      for (const seq of [1, 2, 3]) {
        const got = await member.say(`message ${seq}`)
        ensure(got === seq, `message ${seq} of a fresh room got seq ${got}`)
      }
    },
  },
  {
    id: 'send.others',
    section,
    level: 'must',
    title: 'The message goes to every member, the sender included, with the same members',
    fix: 'send one and the same message frame to all members of the room, the sender too',
    after: ['send.ok'],
    async run(scene) {
      const [writer, reader] = await scene.pair()
      const body = writer.write({ text: 'hi' })
      const seq = await writer.repeat(body)
      const own = await writer.hear()
      const theirs = await reader.hear()
      ensure(isSame(own, theirs), `members got ${show(own)} and ${show(theirs)}`)
      const { clientId, n, data, room } = body
      const { user: from } = scene.welcome
      const { at } = own
      const wanted = { type: 'message', room, seq, from, clientId, n, at, data }
      ensure(isSame(own, wanted), `${show(own)} came, where ${show(wanted)} was sent`)
    },
  },
  {
    id: 'send.data',
    section,
    level: 'must',
    title: '`data` is any JSON value, and arrives as it was sent',
    fix: 'treat `data` as one JSON value; take null, false, 0 and "" for values that are there',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      for (const value of VALUES) {
        await member.say(value)
        const { data } = await member.hear()
        ensure(isSame(data, value), `${show(value)} arrived as ${show(data)}`)
      }
    },
  },
  {
    id: 'send.not-joined',
    section,
    level: 'must',
    title: 'A send to a room that the connection has not joined is answered by not-joined',
    fix: 'look whether this connection is in the room, not only whether the user may be',
    after: ['send.ok'],
    async run(scene) {
      const [stranger, member] = [await scene.member(), await scene.member()]
      const { room, epoch } = member
      const answer = await stranger.peer.ask(stranger.write('x', { room, epoch }))
      refusedWith(answer, 'not-joined', 'the send')
      const seq = await member.say('mine')
      ensure(seq === 1, `the next send got seq ${seq}: the refused one was numbered`)
    },
  },
  {
    id: 'send.stale-epoch',
    section,
    level: 'must',
    title: "A send whose epoch is not the room's is answered by stale-epoch and not stored",
    fix: 'compare `epoch` with the room in the atomic step, before the message id is looked up',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const answer = await member.peer.ask(member.write('old', { epoch: 'conformance-other' }))
      refusedWith(answer, 'stale-epoch', 'the send')
      const seq = await member.say('new')
      ensure(seq === 1, `the next send got seq ${seq}: the refused one was numbered`)
      ensure((await member.hear()).data === 'new', 'the refused send was delivered')
    },
  },
  {
    id: 'send.volatile',
    section,
    level: 'must',
    title: 'A volatile send is numbered and delivered like every other',
    fix: 'treat `volatile` as a word to the client: number, store and deliver as always',
    after: ['send.others'],
    async run(scene) {
      const [writer, reader] = await scene.pair()
      const seq = await writer.say('cursor', { volatile: true })
      const next = await writer.say('word')
      ensure(seq === 1 && next === 2, `a volatile and another send got seqs ${seq} and ${next}`)
      const heard = (await reader.hearAll(2)).map(({ data }) => data)
      ensure(isSame(heard, ['cursor', 'word']), `the other member heard ${show(heard)}`)
    },
  },
  {
    id: 'send.many',
    section,
    level: 'must',
    title: 'Sends of several members at once get one row of numbers, and all members the same row',
    fix: 'number and deliver the messages of a room one after another, whoever sends them',
    after: ['send.others'],
    async run(scene) {
      const members = [...(await scene.pair()), await scene.member()]
      const [one, two] = members
      if (one === undefined || two === undefined) return
      const items = scene.batch(25)
      const seqs = (await Promise.all([one.sayAll(items), two.sayAll(items)])).flat()
      const row = [...seqs].sort((a, b) => a - b)
      ensure(
        row.every((seq, index) => seq === index + 1),
        `the seqs were ${show(row)}`,
      )
      const heard = [await one.hearAll(row.length), await two.hearAll(row.length)]
      ensure(isSame(heard[0], heard[1]), 'two members heard different messages')
    },
  },
]
