/** "A later connection fences off the earlier ones", from "Handshake". */

import type { Check } from '../check.ts'
import { NO_TOKEN } from '../handshake.ts'
import { ensure } from '../judging.ts'
import { Member, newAuthor, refusedWith } from '../member.ts'

const section = 'handshake'

export const FENCE: readonly Check[] = [
  {
    id: 'handshake.fence',
    section,
    level: 'must',
    title: 'A send on an older connection of the client is answered with superseded and not stored',
    fix: 'remember the highest `connection` of each user and client, and refuse sends of lower ones in the atomic step',
    after: ['send.ok'],
    async run(scene) {
      const author = newAuthor()
      const older = await scene.member({ connection: 1 }, scene.room(), author)
      const later = await scene.member({ connection: 2 }, older.room, author)
      const late = older.write('late')
      refusedWith(await older.peer.ask(late), 'superseded', 'a send on the older connection')
      const seq = await later.repeat(late)
      ensure(seq === 1, `the repetition on the later connection got seq ${seq}, not 1`)
      ensure((await later.hear()).seq === 1, 'the repetition was not the first message')
    },
  },
  {
    id: 'handshake.fence-lower',
    section,
    level: 'must',
    title: 'A connection with a lower number is fenced off even where it was dialed later',
    fix: 'compare numbers, not the order of arrival',
    after: ['send.ok'],
    async run(scene) {
      const author = newAuthor()
      const high = await scene.member({ connection: 12 }, scene.room(), author)
      const low = await scene.member({ connection: 9 }, high.room, author)
      refusedWith(await low.peer.ask(low.write('low')), 'superseded', 'a send on the lower number')
      await high.worksStill('a dial with a lower number')
    },
  },
  {
    id: 'handshake.fence-user',
    section,
    level: 'must',
    title:
      'The fence is of one user and client: another user with the same client fences nobody off',
    fix: 'make the authenticated user a part of the key: every member can read every clientId',
    needs: ['second-user'],
    after: ['send.ok'],
    async run(scene) {
      const mine = await scene.member({ connection: 1 })
      await scene.dial({ user: 'b', client: mine.author.id, connection: 9 })
      await mine.worksStill('another user dialed with the same client')
    },
  },
  {
    id: 'handshake.fence-welcomed',
    section,
    level: 'must',
    title: 'Only a connection that is welcomed fences off the earlier ones',
    fix: 'remember the number when you send welcome, not when the handshake arrives',
    after: ['send.ok'],
    async run(scene) {
      const mine = await scene.member({ connection: 1 })
      const client = mine.author.id
      const opening = await scene.open({ token: NO_TOKEN, client, connection: 9 })
      if (opening.kind === 'open') await opening.peer.closing()
      await mine.worksStill('a dial with a bad token and the same client')
    },
  },
  {
    id: 'handshake.no-fence',
    section,
    level: 'must',
    title: 'Without `client` and `connection` there is no fence',
    fix: 'refuse only sends of connections that have told a number',
    after: ['send.ok'],
    async run(scene) {
      const author = newAuthor()
      const room = scene.room()
      const first = await Member.join(await scene.dial(), author, { room })
      const second = await Member.join(await scene.dial(), author, { room })
      await first.worksStill('a second dial without numbers')
      await second.hear()
      await second.worksStill('a first dial without numbers')
    },
  },
]
