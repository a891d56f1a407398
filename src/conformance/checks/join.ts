/** "join". */
import type { Check } from '../check.ts'
import type { Joining } from '../frames.ts'
import { ensure, fail, NotChecked, show } from '../judging.ts'
import { joinedOf, Member, newAuthor, refusedWith } from '../member.ts'
import type { Answer, Peer } from '../peer.ts'

/** One error for the whole frame, and nothing joined. */
async function ensureWholeRefused(
  peer: Peer,
  rooms: readonly unknown[],
  good: string,
  code: string,
): Promise<void> {
  const id = peer.newId()
  peer.raw(JSON.stringify({ type: 'join', id, rooms }), id)
  const error = refusedWith(await peer.answer(id, 'wrong join'), code, 'the join')
  ensure(error.room === undefined, `the error named the room ${show(error.room)}`)
  const left = await peer.ask({ type: 'leave', room: good })
  ensure(
    left.type === 'error' && left.code === 'not-joined',
    'a room of the wrong frame was joined all the same',
  )
}

export const JOIN: readonly Check[] = [
  {
    id: 'join.one',
    section: 'join',
    level: 'must',
    title: 'A join is answered by joined; a fresh room is at seq 0 and not recovered',
    fix: 'answer a join by joined with the room, its epoch, the seq of its last message and recovered: false',
    after: ['welcome.frame'],
    async run(scene) {
      const { joined } = await scene.member()
      ensure(joined.id !== undefined, 'joined had no id')
      ensure(joined.seq === 0, `a fresh room was at seq ${joined.seq}`)
      ensure(!joined.recovered, 'a join without resume was recovered')
    },
  },
  {
    id: 'join.many',
    section: 'join',
    level: 'must',
    title: 'A join of several rooms has one answer for each, with its id',
    fix: 'answer each room of `rooms` by a joined or an error of its own',
    after: ['join.one'],
    async run(scene) {
      const peer = await scene.dial()
      const rooms = scene.roomsForOneJoin(3)
      const answers = await peer.join(rooms.map((room) => ({ room })))
      for (const room of rooms) joinedOf(answers.get(room), room)
    },
  },
  {
    id: 'join.again',
    section: 'join',
    level: 'must',
    title: 'Joining a room again is answered by joined as it is now, and doubles no message',
    fix: 'answer a repeated join by joined with the seq of now; keep a set of members, not a list',
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      await member.say('one')
      await member.hear()
      const again = await Member.join(member.peer, member.author, { room: member.room })
      ensure(again.joined.seq === 1, `joined said seq ${again.joined.seq} after one message`)
      ensure(again.epoch === member.epoch, 'the epoch was another')
      await again.worksStill('a repeated join')
      const twice = await member.peer.listen({ type: 'message' })
      ensure(twice === undefined, `a message came twice: ${show(twice)}`)
    },
  },
  {
    id: 'join.params',
    section: 'join',
    level: 'must',
    title: '`params` may be there: this protocol gives it no meaning',
    fix: 'hand `params` to your application, and join the room',
    after: ['join.one'],
    async run(scene) {
      const joining: Joining = { room: scene.room(), params: { lang: 'en', deep: { list: [1] } } }
      await Member.join(await scene.dial(), newAuthor(), joining)
    },
  },
  {
    id: 'join.forbidden',
    section: 'join',
    level: 'must',
    title: 'A refused room is answered by an error with id and room, and leaves the others alone',
    fix: 'answer a room that the user may not join by error forbidden with `id` and `room`, and never by a close',
    needs: ['forbidden-room'],
    after: ['send.ok'],
    async run(scene) {
      const { forbidden = '' } = scene.options
      const before = await scene.member()
      const [beside = ''] = scene.roomsForOneJoin(2)
      const { peer, author } = before
      const answers = await peer.join([{ room: forbidden }, { room: beside }])
      const refusal = answers.get(forbidden) ?? fail('the refusal did not name the room')
      refusedWith(refusal, 'forbidden', 'the join')
      await new Member(peer, author, joinedOf(answers.get(beside), beside)).worksStill('a refusal')
      await before.worksStill('a refusal of another room')
      const send = before.write('x', { room: forbidden })
      const answer: Answer = await peer.ask(send)
      const isRefused =
        answer.type === 'error' && (answer.code === 'not-joined' || answer.code === 'forbidden')
      ensure(isRefused, `a send to the refused room was answered by ${show(answer)}`)
    },
  },
  {
    id: 'join.whole',
    section: 'join',
    level: 'must',
    title:
      'A join that is wrong as a whole is answered by one error without room, and joins nothing',
    fix: 'check the whole list before you join its first room',
    after: ['join.one'],
    async run(scene) {
      const [good = ''] = scene.roomsForOneJoin(2)
      const rooms = [{ room: good }, { room: 5 }]
      await ensureWholeRefused(await scene.dial(), rooms, good, 'bad-frame')
    },
  },
  {
    id: 'join.once',
    section: 'join',
    level: 'must',
    title: 'A room stands in one join at most once; else the frame is wrong',
    fix: 'answer a join that names a room twice by error bad-frame',
    after: ['join.one'],
    async run(scene) {
      const [room = ''] = scene.roomsForOneJoin(2)
      await ensureWholeRefused(await scene.dial(), [{ room }, { room }], room, 'bad-frame')
    },
  },
  {
    id: 'limits.rooms-per-join',
    section: 'limits',
    level: 'must',
    title: '`limits.roomsPerJoin` rooms may stand in one join; one more is too-large',
    fix: 'answer a join with more rooms than you told by one error too-large, and join none of them',
    after: ['join.one'],
    async run(scene) {
      const { roomsPerJoin, frameBytes, rooms = roomsPerJoin } = scene.welcome.limits
      const names = Array.from({ length: roomsPerJoin + 1 }, () => scene.room())
      const isTooBig = names.join('').length + names.length * 12 > frameBytes - 100
      if (isTooBig || roomsPerJoin > rooms)
        throw new NotChecked(`another limit is met before ${roomsPerJoin} rooms`)
      const [first = ''] = names
      const joinings = names.map((room) => ({ room }))
      await ensureWholeRefused(await scene.dial(), joinings, first, 'too-large')
      const answers = await (await scene.dial()).join(joinings.slice(1))
      for (const [room, answer] of answers) joinedOf(answer, room)
    },
  },
]
