/** "auth" on a live connection, and connections whose token ends. */

import type { Check } from '../check.ts'
import { NO_TOKEN } from '../handshake.ts'
import { ensure, NotChecked, show } from '../judging.ts'
import { refusedWith, seqOf } from '../member.ts'
import { type Peer, sleep } from '../peer.ts'
import type { Scene } from '../scene.ts'

const section = 'auth'
/** How long after its token a connection may live: clocks of whole seconds, and timers. */
const LATE_MS = 3_000
/** Where everything takes its time, a short token may end before it is renewed. */
const TRIES = 5

/** A connection whose short token was replaced before it ended. */
async function renewedInTime(scene: Scene): Promise<{ peer: Peer; endsInMs: number }> {
  const token = await scene.tokenOf('a')
  for (let left = TRIES; left > 0; left -= 1) {
    const dialedAt = performance.now()
    const { peer, welcome } = await scene.welcomed({ user: 'short' })
    const endsInMs = welcome.expiresInMs ?? 0
    const isRenewed = await peer.ask({ type: 'auth', token }).then(
      () => true,
      (error: unknown) => {
        // Counted by the server after the dial: before that nothing but the server has ended it.
        if (performance.now() - dialedAt < endsInMs) throw error
        return false
      },
    )
    if (isRenewed) return { peer, endsInMs }
  }
  throw new NotChecked('the short token ended before it was renewed: give one that lives longer')
}

export const AUTH: readonly Check[] = [
  {
    id: 'auth.renewed',
    section,
    level: 'must',
    title:
      'A later auth with a good token is answered by ok; rooms and open requests stay as they are',
    fix: 'answer ok, with expiresInMs where the token expires; touch neither rooms nor requests',
    needs: ['auth'],
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const { peer } = member
      const token = await scene.tokenOf('a')
      const sendId = peer.say(member.write('before'))
      const authId = peer.say({ type: 'auth', token })
      const nextId = peer.say(member.write('behind'))
      seqOf(await peer.answer(sendId, 'send'))
      const answer = await peer.answer(authId, 'auth')
      ensure(answer.type === 'ok', `auth was answered by ${show(answer)}`)
      seqOf(await peer.answer(nextId, 'send'))
      const ends = [scene.welcome.expiresInMs, answer.expiresInMs].map((ms) => ms !== undefined)
      ensure(ends[0] === ends[1], 'one of welcome and ok held expiresInMs, and the other did not')
      await member.hearAll(2)
      await member.worksStill('a renewal')
    },
  },
  {
    id: 'auth.refused',
    section,
    level: 'must',
    title: 'A later auth with a bad token is answered by token-refused; the connection stays',
    fix: 'answer error token-refused, and keep the connection until its old token ends',
    needs: ['auth'],
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const answer = await member.peer.ask({ type: 'auth', token: NO_TOKEN })
      refusedWith(answer, 'token-refused', 'auth')
      await member.worksStill('a refused renewal')
    },
  },
  {
    id: 'auth.expired',
    section,
    level: 'must',
    title: 'A later auth with an expired token is answered by token-refused',
    fix: 'compare the expiry of the new token too',
    needs: ['auth', 'expired-token'],
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const token = await scene.tokenOf('expired')
      refusedWith(await member.peer.ask({ type: 'auth', token }), 'token-refused', 'auth')
      await member.worksStill('a refused renewal')
    },
  },
  {
    id: 'auth.other-user',
    section,
    level: 'must',
    title:
      "A later auth with another user's token is answered by other-user: a connection never changes its user",
    fix: 'compare the user of the new token with that of the connection, and answer error other-user',
    needs: ['auth', 'second-user'],
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const token = await scene.tokenOf('b')
      refusedWith(await member.peer.ask({ type: 'auth', token }), 'other-user', 'auth')
      await member.say('who')
      const { from } = await member.hear()
      ensure(from === scene.welcome.user, `afterwards a message came from ${show(from)}`)
    },
  },
  {
    id: 'auth.lives-on',
    section,
    level: 'must',
    title: 'A connection that was renewed lives as long as its new token',
    fix: 'set the timer of the expiry anew when auth is answered by ok',
    needs: ['auth', 'short-token'],
    after: ['auth.renewed'],
    slow: true,
    async run(scene) {
      const { peer, endsInMs } = await renewedInTime(scene)
      await sleep(endsInMs + Math.min(LATE_MS, scene.options.timeoutMs) / 2)
      const code = peer.ending?.code
      ensure(code === undefined, `at the end of the old token it was closed with ${code}`)
      await peer.ask({ type: 'ping' })
    },
  },
  {
    id: 'close-codes.expiry',
    section: 'close-codes',
    level: 'must',
    title:
      'welcome tells expiresInMs, and the connection is ended with 4003 when its token expires',
    fix: 'set a timer at welcome that closes with 4003 at the expiry of the token',
    needs: ['short-token'],
    after: ['welcome.frame'],
    slow: true,
    async run(scene) {
      const { peer, welcome } = await scene.welcomed({ user: 'short' })
      const { expiresInMs } = welcome
      ensure(expiresInMs !== undefined, 'welcome held no expiresInMs')
      const { code } = await peer.closing(expiresInMs + scene.options.timeoutMs)
      ensure(code === 4003 || code === 4401, `at the end of its token it was closed with ${code}`)
    },
  },
]
