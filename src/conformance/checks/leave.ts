/** "leave", and what follows from it in "Order". */
import type { Check } from '../check.ts'
import { ensure, show } from '../judging.ts'
import { Member, refusedWith } from '../member.ts'

export const LEAVE: readonly Check[] = [
  {
    id: 'leave.ok',
    section: 'leave',
    level: 'must',
    title: 'A leave is answered by ok; afterwards the connection is not in the room',
    fix: 'answer a leave by ok, and take the connection out of the room',
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const { peer, room } = member
      const answer = await peer.ask({ type: 'leave', room })
      ensure(answer.type === 'ok', `a leave was answered by ${show(answer)}`)
      refusedWith(await peer.ask(member.write('x')), 'not-joined', 'a send after the leave')
      await (await Member.join(peer, member.author, { room })).worksStill('leave and join')
    },
  },
  {
    id: 'leave.not-joined',
    section: 'leave',
    level: 'must',
    title: 'A leave of a room that the connection is not in is answered by not-joined',
    fix: 'answer such a leave by error not-joined',
    after: ['welcome.frame'],
    async run(scene) {
      const answer = await (await scene.dial()).ask({ type: 'leave', room: scene.room() })
      refusedWith(answer, 'not-joined', 'the leave')
    },
  },
  {
    id: 'order.leave',
    section: 'order',
    level: 'must',
    title: 'After the ok of a leave no message of that room follows',
    fix: 'take the connection out of the room before you send the ok',
    after: ['leave.ok', 'send.others'],
    async run(scene) {
      const [leaver, stayer] = await scene.pair()
      const { peer, room } = leaver
      await peer.ask({ type: 'leave', room })
      await stayer.worksStill('another member left')
      const message = await peer.listen({ type: 'message', room })
      ensure(message === undefined, `${show(message)} came after the ok of the leave`)
    },
  },
]
