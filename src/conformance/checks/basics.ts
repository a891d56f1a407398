/** "welcome", "ping", "Requests and answers": what the other checks stand on. */
import type { Check } from '../check.ts'
import { ensure, fail, show } from '../judging.ts'
import { whyNot } from '../scene.ts'

const LARGEST_ID = Number.MAX_SAFE_INTEGER

const WRONG_TOKEN =
  'give a good token of the first user, and say how it travels (transmission, --token-by): this one was refused'

export const BASICS: readonly Check[] = [
  {
    id: 'welcome.frame',
    section: 'welcome',
    level: 'must',
    title: 'With a good token the server sends welcome, whole',
    fix: 'send welcome with all of its members as the first frame',
    async run(scene) {
      const opening = await scene.open()
      if (opening.kind !== 'open') return fail(whyNot(opening))
      const { peer } = opening
      const first = await Promise.race([peer.take({ type: 'welcome' }), peer.ended])
      if ('code' in first)
        return fail(
          `the server closed with ${first.code} instead`,
          first.code === 4003 || first.code === 4401 ? WRONG_TOKEN : undefined,
        )
      ensure(first.user !== '', 'welcome.user was empty')
    },
  },
  {
    id: 'welcome.user',
    section: 'welcome',
    level: 'must',
    title: '`user` is whom the token names: the same for one user, another for another',
    fix: 'take `user` from the token, not from the connection',
    needs: ['second-user'],
    after: ['welcome.frame'],
    async run(scene) {
      const [one, two, other] = [
        await scene.welcomed(),
        await scene.welcomed(),
        await scene.welcomed({ user: 'b' }),
      ].map(({ welcome }) => welcome.user)
      ensure(one === two, `two connections of one user were ${show(one)} and ${show(two)}`)
      ensure(one !== other, `two users were both ${show(one)}`)
    },
  },
  {
    id: 'welcome.session',
    section: 'welcome',
    level: 'must',
    title: '`session` names this connection',
    fix: 'draw a new `session` for each connection',
    after: ['welcome.frame'],
    async run(scene) {
      const one = (await scene.welcomed()).welcome.session
      const two = (await scene.welcomed()).welcome.session
      ensure(one !== '' && one !== two, `two connections were ${show(one)} and ${show(two)}`)
    },
  },
  {
    id: 'ping.pong',
    section: 'ping',
    level: 'must',
    title: 'ping is answered by pong with the same id',
    fix: 'answer { type: "ping", id } by { type: "pong", id }',
    after: ['welcome.frame'],
    async run(scene) {
      const answer = await (await scene.dial()).ask({ type: 'ping' })
      ensure(answer.type === 'pong', `a ping was answered by ${show(answer)}`)
    },
  },
  {
    id: 'requests.ids',
    section: 'requests-and-answers',
    level: 'must',
    title: 'Every count is an id, 0 and 2^53 - 1 too, and one that was answered may come again',
    fix: 'give the id back as it came; do not remember ids that were answered',
    after: ['ping.pong'],
    async run(scene) {
      const peer = await scene.dial()
      for (const id of [0, LARGEST_ID, 0]) {
        const answer = await peer.answer(peer.say({ type: 'ping' }, id), 'ping')
        ensure(answer.type === 'pong', `a ping with the id ${id} was answered by ${show(answer)}`)
      }
    },
  },
  {
    id: 'requests.shared-ping',
    section: 'requests-and-answers',
    level: 'must',
    title: 'Pings may share an id: each has its pong',
    fix: 'answer each ping by itself',
    after: ['ping.pong'],
    async run(scene) {
      const peer = await scene.dial()
      for (let pings = 0; pings < 3; pings += 1) peer.say({ type: 'ping' }, 7)
      for (let pongs = 0; pongs < 3; pongs += 1) await peer.answer(7, 'ping')
    },
  },
  {
    id: 'requests.pipelined',
    section: 'requests-and-answers',
    level: 'must',
    title: 'Each of many requests that were sent at once has its one answer',
    fix: 'answer every request, also those that arrive while another is carried out',
    after: ['ping.pong'],
    async run(scene) {
      const peer = await scene.dial()
      const room = scene.room()
      const ids = Array.from({ length: 20 }, (_, index) =>
        peer.say(index % 2 === 0 ? { type: 'ping' } : { type: 'leave', room }),
      )
      for (const id of ids.reverse()) await peer.answer(id, 'request among others')
    },
  },
]
