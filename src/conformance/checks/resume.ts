/** "joined": where a room stands, and what was missed. */
import type { Check } from '../check.ts'
import type { Joining, StoredMessage } from '../frames.ts'
import type { DialOptions } from '../handshake.ts'
import { ensure, isSame, show } from '../judging.ts'
import { Member, type Message, newAuthor } from '../member.ts'
import type { Scene } from '../scene.ts'

const section = 'joined'

type Resume = NonNullable<Joining['resume']>

async function resumed(
  scene: Scene,
  room: string,
  resume: Resume,
  dial: DialOptions = {},
): Promise<Member> {
  const author = newAuthor()
  const peer = await scene.dial({ client: author.id, connection: 1, ...dial })
  return Member.join(peer, author, { room, resume })
}

const bare = ({ type, room, ...message }: Message): StoredMessage => message

/** All that was missed: in `joined` or, where it does not fit there, behind it. */
async function missed(member: Member, last: number): Promise<readonly StoredMessage[]> {
  const { messages = [], seq } = member.joined
  const rest = seq < last ? await member.hearAll(last - seq) : []
  return [...messages, ...rest.map(bare)]
}

async function spoken(member: Member, count: number): Promise<readonly StoredMessage[]> {
  await member.sayAll(Array.from({ length: count }, (_, index) => `word ${index}`))
  return (await member.hearAll(count)).map(bare)
}

function ensureNotRecovered({ joined }: Member, last: number): void {
  ensure(!joined.recovered, 'joined said recovered: true')
  ensure(
    joined.messages === undefined && joined.seq === last,
    `${show(joined)} came, not seq ${last} without messages`,
  )
}

export const RESUME: readonly Check[] = [
  {
    id: 'joined.late',
    section,
    level: 'must',
    title: "Without resume, seq is that of the room's last message, and all members have one epoch",
    fix: 'put the number of the newest message into joined, and give each room one epoch',
    after: ['send.others'],
    async run(scene) {
      const writer = await scene.member()
      await spoken(writer, 3)
      const late = await scene.member({ user: scene.other }, writer.room)
      ensure(late.joined.seq === 3, `after three messages joined said seq ${late.joined.seq}`)
      ensure(late.epoch === writer.epoch, 'two members were told two epochs')
      ensure(!late.joined.recovered, 'a join without resume was recovered')
    },
  },
  {
    id: 'joined.resume',
    section,
    level: 'must',
    title: 'resume gives what was missed: whole, in order, each as its message was',
    fix: 'keep the messages of the resume window, and put those behind resume.seq into joined.messages',
    needs: ['resume'],
    after: ['joined.late'],
    async run(scene) {
      const writer = await scene.member()
      const all = await spoken(writer, 6)
      for (const seq of [0, 2, 5]) {
        const back = await resumed(scene, writer.room, { epoch: writer.epoch, seq })
        ensure(back.joined.recovered, `resume at ${seq} of 6 was not recovered`)
        const got = await missed(back, 6)
        ensure(isSame(got, all.slice(seq)), `resume at ${seq} gave ${show(got)}`)
      }
      await writer.worksStill('three resumes')
    },
  },
  {
    id: 'joined.resume-nothing',
    section,
    level: 'must',
    title: 'resume at the last seq is recovered, and nothing was missed',
    fix: 'take "nothing missed" for recovered, also in a room without messages',
    needs: ['resume'],
    after: ['joined.late'],
    async run(scene) {
      const writer = await scene.member()
      for (const seq of [0, 1]) {
        const back = await resumed(scene, writer.room, { epoch: writer.epoch, seq })
        const { recovered, messages = [], seq: at } = back.joined
        ensure(recovered, `resume at ${seq}, which was the last, was not recovered`)
        ensure(messages.length === 0 && at === seq, `it was ${show(back.joined)}`)
        await spoken(writer, 1)
      }
    },
  },
  {
    id: 'joined.resume-epoch',
    section,
    level: 'must',
    title: 'resume with another epoch is not recovered',
    fix: 'compare resume.epoch with the room before you look at its seq',
    needs: ['resume'],
    after: ['joined.late'],
    async run(scene) {
      const writer = await scene.member()
      await spoken(writer, 2)
      const resume = { epoch: 'conformance-other', seq: 1 }
      ensureNotRecovered(await resumed(scene, writer.room, resume), 2)
    },
  },
  {
    id: 'joined.resume-beyond',
    section,
    level: 'must',
    title: "resume with a seq greater than the room's last one is not recovered",
    fix: 'answer recovered: false where resume.seq is above the last number',
    needs: ['resume'],
    after: ['joined.late'],
    async run(scene) {
      const writer = await scene.member()
      await spoken(writer, 2)
      for (const seq of [3, Number.MAX_SAFE_INTEGER])
        ensureNotRecovered(await resumed(scene, writer.room, { epoch: writer.epoch, seq }), 2)
    },
  },
  {
    id: 'joined.resume-each',
    section,
    level: 'must',
    title: 'Each room of a join resumes by itself',
    fix: 'judge `resume` room by room',
    needs: ['resume'],
    after: ['joined.resume', 'join.many'],
    async run(scene) {
      const [first = '', second = ''] = scene.roomsForOneJoin(2)
      const [one, two] = [await scene.member({}, first), await scene.member({}, second)]
      const all = [await spoken(one, 2), await spoken(two, 3)]
      const peer = await scene.dial()
      const answers = await peer.join([
        { room: one.room, resume: { epoch: one.epoch, seq: 1 } },
        { room: two.room, resume: { epoch: one.epoch, seq: 1 } },
      ])
      const its = answers.get(first)
      const other = answers.get(second)
      ensure(
        its?.type === 'joined' && its.recovered && isSame(its.messages, all[0]?.slice(1)),
        `the first room was answered by ${show(its)}`,
      )
      ensure(
        other?.type === 'joined' && !other.recovered && other.seq === 3,
        `the second room was answered by ${show(other)}`,
      )
    },
  },
  {
    id: 'joined.resume-many',
    section,
    level: 'must',
    title: 'When more was missed than fits in one frame, the rest follows without a hole',
    fix: 'send the rest as message frames behind joined, before anything newer',
    needs: ['resume'],
    after: ['joined.resume'],
    async run(scene) {
      const writer = await scene.member()
      const filler = 'x'.repeat(1_000)
      let last = 0
      while (last < 120) last += (await writer.sayAll(scene.batch(40).map(() => filler))).length
      const { epoch, room } = writer
      const back = await resumed(scene, room, { epoch, seq: 0 })
      ensure(back.joined.recovered, `${last} messages were not recovered`)
      const seqs = (await missed(back, last)).map(({ seq }) => seq)
      ensure(
        seqs.length === last && seqs.every((seq, index) => seq === index + 1),
        `of ${last} messages came ${show(seqs)}`,
      )
    },
  },
  {
    id: 'joined.resume-while-sent',
    section,
    level: 'must',
    title: 'A resume loses and doubles nothing while others send',
    fix: 'read what was missed and begin to deliver in one step, or deliver by number from there on',
    needs: ['resume'],
    after: ['joined.resume'],
    async run(scene) {
      const writer = await scene.member()
      await spoken(writer, 5)
      const author = newAuthor()
      const peer = await scene.dial({ user: scene.other, client: author.id, connection: 1 })
      const resume = { epoch: writer.epoch, seq: 2 }
      const joining = Member.join(peer, author, { room: writer.room, resume })
      const last = await writer.sayUntil(joining, scene.batch(20))
      const seqs = (await missed(await joining, last)).map(({ seq }) => seq)
      ensure(
        seqs.length === last - 2 && seqs.every((seq, index) => seq === index + 3),
        `after seq 2 of ${last} came ${show(seqs)}`,
      )
    },
  },
]
