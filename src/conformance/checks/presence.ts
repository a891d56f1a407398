/** "presence". */
import type { Check } from '../check.ts'
import type { ServerFrame } from '../frames.ts'
import type { DialOptions } from '../handshake.ts'
import { ensure, fail, isSame, show } from '../judging.ts'
import { type Author, Member, newAuthor } from '../member.ts'
import type { Scene } from '../scene.ts'

const section = 'presence'
const needs = ['presence'] as const

type Mood = Readonly<Record<string, unknown>>

/** Joins with presence, which shows this client and makes it a watcher. */
async function shown(
  scene: Scene,
  room: string,
  presence: Mood,
  dial: DialOptions = {},
  author = newAuthor(),
): Promise<Member> {
  const peer = await scene.dial({ client: author.id, connection: 1, ...dial })
  return Member.join(peer, author, { room, presence })
}

interface Roll {
  readonly members: readonly string[]
  readonly version: number
}

/** Who is shown, as sorted `clientId`s. */
function rollOf({ joined }: Member): Roll {
  const { members, version } = joined
  if (members === undefined || version === undefined)
    return fail(`a join with presence was answered without members and version: ${show(joined)}`)
  return { members: members.map(({ clientId }) => clientId).sort(), version }
}

const sorted = (...authors: readonly Author[]): readonly string[] =>
  authors.map(({ id }) => id).sort()

const change = ({ peer, room }: Member): Promise<ServerFrame<'presence'>> =>
  peer.take({ type: 'presence', room }, 'presence frame')

/** The one change that a watcher is told. */
async function ensureChange(
  watcher: Member,
  joins: readonly Author[],
  leaves: readonly Author[],
): Promise<ServerFrame<'presence'>> {
  const frame = await change(watcher)
  const got = [frame.joins, frame.leaves].map((list) => list.map(({ clientId }) => clientId).sort())
  ensure(isSame(got, [sorted(...joins), sorted(...leaves)]), `a watcher was told ${show(frame)}`)
  return frame
}

export const PRESENCE: readonly Check[] = [
  {
    id: 'presence.members',
    section,
    level: 'must',
    title: 'A join with presence is answered with members and version; the client is among them',
    fix: 'show the client first, then answer with `members` as { user, clientId, data } and their `version`',
    needs,
    after: ['join.one'],
    async run(scene) {
      const room = scene.room()
      const one = await shown(scene, room, { mood: 'calm', deep: { a: [1] } })
      rollOf(one)
      const { user } = scene.welcome
      const wanted = [{ user, clientId: one.author.id, data: { mood: 'calm', deep: { a: [1] } } }]
      ensure(isSame(one.joined.members, wanted), `members were ${show(one.joined.members)}`)
      const quiet = await scene.member({ user: scene.other }, room)
      ensure(quiet.joined.members === undefined, 'a join without presence was told members')
      const two = await shown(scene, room, {}, { user: scene.other })
      const roll = rollOf(two).members
      ensure(isSame(roll, sorted(one.author, two.author)), `the second one was told ${show(roll)}`)
    },
  },
  {
    id: 'presence.joins',
    section,
    level: 'must',
    title: 'Watchers are told who joins, from one version to the next',
    fix: 'send presence with `joins` and the next `version` to those who joined with presence',
    needs,
    after: ['presence.members'],
    async run(scene) {
      const watcher = await shown(scene, scene.room(), { mood: 'calm' })
      const guest = await shown(scene, watcher.room, { mood: 'new' }, { user: scene.other })
      const { joins, version } = await ensureChange(watcher, [guest.author], [])
      ensure(isSame(joins[0]?.data, { mood: 'new' }), `its data was ${show(joins[0]?.data)}`)
      const versions = [rollOf(watcher).version + 1, rollOf(guest).version]
      ensure(
        versions.every((each) => each === version),
        `the change led to version ${version}; ${versions.join(' and ')} were next and in joined`,
      )
    },
  },
  {
    id: 'presence.changes',
    section,
    level: 'must',
    title: 'Joining again with other presence changes the data, and tells the watchers',
    fix: 'take a repeated join with presence for a change of `data`: one entry in `joins`, none in `leaves`',
    needs,
    after: ['presence.joins'],
    async run(scene) {
      const watcher = await shown(scene, scene.room(), {})
      const { room } = watcher
      const guest = await shown(scene, room, { mood: 'new' })
      await change(watcher)
      const again = await Member.join(guest.peer, guest.author, { room, presence: { mood: 'old' } })
      const { joins } = await ensureChange(watcher, [guest.author], [])
      ensure(isSame(joins[0]?.data, { mood: 'old' }), `its data was ${show(joins[0]?.data)}`)
      const own = again.joined.members?.find(({ clientId }) => clientId === guest.author.id)
      ensure(isSame(own?.data, { mood: 'old' }), `joined showed ${show(again.joined.members)}`)
    },
  },
  {
    id: 'presence.leaves',
    section,
    level: 'must',
    title: 'Who left, or whose connection was closed cleanly, is taken off at once',
    fix: 'take the client off at its leave and at a clean close, and tell the watchers in `leaves`',
    needs,
    after: ['presence.joins', 'leave.ok'],
    async run(scene) {
      const watcher = await shown(scene, scene.room(), {})
      const { room } = watcher
      const leaver = await shown(scene, room, {}, { user: scene.other })
      await change(watcher)
      await leaver.peer.ask({ type: 'leave', room })
      await ensureChange(watcher, [], [leaver.author])
      const closer = await shown(scene, room, {}, { user: scene.other })
      await change(watcher)
      closer.peer.close()
      await ensureChange(watcher, [], [closer.author])
      const roll = rollOf(await shown(scene, room, {})).members
      ensure(!roll.includes(leaver.author.id), 'who had left was still among the members')
    },
  },
  {
    id: 'presence.once',
    section,
    level: 'must',
    title:
      'A client that is shown by several connections is shown once, until the last of them ends',
    fix: 'count the connections of each user and client in a room, and take it off with the last one',
    needs,
    after: ['presence.leaves'],
    async run(scene) {
      const first = await shown(scene, scene.room(), {}, { connection: 1 })
      const { room, author } = first
      const second = await shown(scene, room, {}, { connection: 2 }, author)
      ensure(
        isSame(rollOf(second).members, sorted(author)),
        `it was ${show(second.joined.members)}`,
      )
      const watcher = await shown(scene, room, {})
      first.peer.close()
      await first.peer.closing()
      const gone = await watcher.peer.listen({ type: 'presence' })
      ensure(gone === undefined, `one of its two connections ended, and ${show(gone)} came`)
      second.peer.close()
      await ensureChange(watcher, [], [author])
    },
  },
  {
    id: 'presence.lost',
    section,
    level: 'must',
    title:
      'A client whose connection was lost and that comes back within its lease is never seen to leave',
    fix: 'after a lost connection keep the place for the lease; take it off at once only after a close frame',
    needs: ['presence', 'drop'],
    after: ['presence.leaves'],
    async run(scene) {
      const watcher = await shown(scene, scene.room(), {})
      const { room } = watcher
      const lost = await shown(scene, room, {}, { connection: 1 })
      await change(watcher)
      lost.peer.drop()
      await watcher.peer.listen({})
      const back = await shown(scene, room, {}, { connection: 2 }, lost.author)
      for (
        let frame = await watcher.peer.listen({ type: 'presence' });
        frame !== undefined;
        frame = watcher.peer.here({ type: 'presence' })
      )
        ensure(frame.type !== 'presence' || frame.leaves.length === 0, `it was ${show(frame)}`)
      const roll = rollOf(back).members
      ensure(isSame(roll, sorted(watcher.author, lost.author)), `members were ${show(roll)}`)
    },
  },
]
