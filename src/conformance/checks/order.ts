/** "Order". */
import type { Check } from '../check.ts'
import { ensure, show } from '../judging.ts'
import { Member, newAuthor, refusedWith, seqOf } from '../member.ts'

const section = 'order'

export const ORDER: readonly Check[] = [
  {
    id: 'order.arrival',
    section,
    level: 'must',
    title: 'Requests are carried out in the order of arrival',
    fix: 'carry out the requests of one connection one after another, also where a handler is asynchronous',
    after: ['leave.ok'],
    async run(scene) {
      const { room, joined } = await scene.member()
      const author = newAuthor()
      const peer = await scene.dial({ client: author.id, connection: 1 })
      const guest = new Member(peer, author, joined)
      const joinId = peer.say({ type: 'join', rooms: [{ room }] })
      const sendIds = [1, 2, 3].map((data) => peer.say(guest.write(data)))
      const leaveId = peer.say({ type: 'leave', room })
      const lateId = peer.say(guest.write('late'))
      const answer = await peer.answer(joinId, 'join')
      ensure(answer.type === 'joined', `the join was answered by ${show(answer)}`)
      const seqs: number[] = []
      for (const id of sendIds) seqs.push(seqOf(await peer.answer(id, 'send')))
      ensure(seqs.join() === '1,2,3', `three sends at once got the seqs ${seqs.join(', ')}`)
      ensure(
        (await peer.answer(leaveId, 'leave')).type === 'ok',
        'the leave was not answered by ok',
      )
      refusedWith(await peer.answer(lateId, 'send'), 'not-joined', 'a send behind the leave')
    },
  },
  {
    id: 'order.join-while-sent',
    section,
    level: 'must',
    title: 'From joined on, messages come without a hole, also while others send',
    fix: 'read the seq for joined and begin to deliver in one step, with nothing between them',
    after: ['send.others'],
    async run(scene) {
      const writer = await scene.member()
      const author = newAuthor()
      const peer = await scene.dial({ user: scene.other, client: author.id, connection: 1 })
      const joining = Member.join(peer, author, { room: writer.room })
      const last = await writer.sayUntil(joining, scene.batch(20))
      const reader = await joining
      for (let seq = reader.joined.seq + 1; seq <= last; seq += 1) {
        const message = await reader.hear()
        ensure(message.seq === seq, `message ${message.seq} came where ${seq} was next`)
      }
    },
  },
  {
    id: 'order.stored-first',
    section,
    level: 'must',
    title: 'The ok of a send comes after the message was stored',
    fix: 'send the ok when the store has answered',
    needs: ['history'],
    after: ['send.ok'],
    async run(scene) {
      const [writer, reader] = await scene.pair()
      for (const word of ['one', 'two', 'three']) {
        const seq = await writer.say(word)
        const answer = await reader.peer.ask({ type: 'history', room: writer.room, limit: 1 })
        const newest = answer.type === 'history' ? answer.messages[0]?.seq : undefined
        ensure(newest === seq, `after ok with seq ${seq}, history ended with ${show(newest)}`)
      }
    },
  },
]
