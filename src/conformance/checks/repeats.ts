/** "send": a send that is repeated is delivered once. */
import type { Check } from '../check.ts'
import { ensure, isSame, show } from '../judging.ts'
import { Member, newAuthor, refusedWith, seqOf } from '../member.ts'
import type { Body } from '../peer.ts'

const section = 'send'

export const REPEATS: readonly Check[] = [
  {
    id: 'send.repeated',
    section,
    level: 'must',
    title:
      'A send that is repeated is answered with the same seq and delivered once; data is not compared',
    fix: 'look the message id (user, clientId, n) up before you number, and answer a known one with its seq',
    after: ['send.others'],
    async run(scene) {
      const [writer, reader] = await scene.pair()
      const body = writer.write('once')
      const seq = await writer.repeat(body)
      const again = await writer.repeat({ ...body, data: 'twice' })
      ensure(again === seq, `the repetition of seq ${seq} got seq ${again}`)
      const next = await writer.say('next')
      ensure(next === seq + 1, `the next send got seq ${next}: the repetition was numbered`)
      const heard = (await reader.hearAll(2)).map(({ data }) => data)
      ensure(isSame(heard, ['once', 'next']), `the other member heard ${show(heard)}`)
    },
  },
  {
    id: 'send.repeated-on-next',
    section,
    level: 'must',
    title:
      'A send that is repeated after a reconnect is answered with the same seq and delivered once',
    fix: 'remember message ids with the room for the resume window, not with the connection',
    needs: ['resume'],
    after: ['send.repeated'],
    async run(scene) {
      const reader = await scene.member()
      const first = await scene.member({ connection: 1 }, reader.room)
      const body = first.write('once')
      const seq = await first.repeat(body)
      first.peer.close()
      await first.peer.closing()
      const second = await scene.member({ connection: 2 }, reader.room, first.author)
      const again = await second.repeat(body)
      ensure(again === seq, `the repetition of seq ${seq} on the next connection got seq ${again}`)
      await second.say('next')
      const heard = (await reader.hearAll(2)).map(({ data }) => data)
      ensure(isSame(heard, ['once', 'next']), `the other member heard ${show(heard)}`)
    },
  },
  {
    id: 'send.repeated-at-once',
    section,
    level: 'must',
    title: 'A repetition that races its original on a second connection gets no second number',
    fix: 'make looking up, numbering and storing one atomic step: a lock, a transaction or one Lua script',
    after: ['send.repeated'],
    async run(scene) {
      const author = newAuthor()
      const room = scene.room()
      // Without numbers, so that no fence stands between the two.
      const one = await Member.join(await scene.dial(), author, { room })
      const two = await Member.join(await scene.dial(), author, { room })
      const bodies = scene.batch(20).map((data): Body<'send'> => one.write(data))
      const ids = bodies.map((body) => [one.peer.say(body), two.peer.say(body)] as const)
      for (const [first, second] of ids) {
        const seqs = [seqOf(await one.peer.answer(first)), seqOf(await two.peer.answer(second))]
        ensure(seqs[0] === seqs[1], `one message id got the seqs ${seqs.join(' and ')}`)
      }
      const last = await one.say('last')
      ensure(last === bodies.length + 1, `${bodies.length} messages ended before seq ${last}`)
    },
  },
  {
    id: 'send.user-of-id',
    section,
    level: 'must',
    title:
      'The authenticated user is part of the message id: another user cannot occupy the next n',
    fix: 'make the user a part of the key under which message ids are remembered',
    needs: ['second-user'],
    after: ['send.repeated'],
    async run(scene) {
      const mine = await scene.member()
      const theirs = await scene.member({ user: 'b' }, mine.room, mine.author)
      const body = mine.write('mine')
      const seqs = [await theirs.repeat({ ...body, data: 'theirs' }), await mine.repeat(body)]
      ensure(isSame(seqs, [1, 2]), `two users with one clientId and n got the seqs ${show(seqs)}`)
      const heard = (await mine.hearAll(2)).map(({ data }) => data)
      ensure(isSame(heard, ['theirs', 'mine']), `the room heard ${show(heard)}`)
    },
  },
  {
    id: 'send.room-of-id',
    section,
    level: 'must',
    title: 'A message id is known in its room only',
    fix: 'remember message ids for each room',
    after: ['send.repeated'],
    async run(scene) {
      const one = await scene.member()
      const two = await Member.join(one.peer, one.author, { room: scene.room() })
      const { room, epoch } = two
      const body = one.write('x')
      await one.repeat(body)
      const seq = await two.repeat({ ...body, room, epoch })
      ensure(seq === 1, `in a second room the message id got seq ${seq}`)
      ensure((await two.hear()).data === 'x', 'in the second room it was not delivered')
    },
  },
  {
    id: 'send.refused-again',
    section,
    level: 'must',
    title:
      'A refused send is not remembered: the same message id may be tried again, and n may skip',
    fix: 'remember a message id when you number it, and know each id: "n is not above the last" is not enough',
    after: ['send.repeated'],
    async run(scene) {
      const one = await scene.member()
      const { peer, room } = one
      await peer.ask({ type: 'leave', room })
      const refused = one.write('refused')
      refusedWith(await peer.ask(refused), 'not-joined', 'a send after the leave')
      await peer.join([{ room }])
      const skipped = await one.say('skipped', { n: refused.n + 40 })
      const seqs = [skipped, await one.repeat(refused)]
      ensure(isSame(seqs, [1, 2]), `n + 40 and then the refused n got the seqs ${show(seqs)}`)
      const heard = (await one.hearAll(2)).map(({ data }) => data)
      ensure(isSame(heard, ['skipped', 'refused']), `the room heard ${show(heard)}`)
    },
  },
]
