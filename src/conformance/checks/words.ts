/** "Words": what a room may be called. */
import type { Check } from '../check.ts'
import { ensure, NotChecked, show } from '../judging.ts'
import { joinedOf, Member, newAuthor, refusedWith } from '../member.ts'
import type { Scene } from '../scene.ts'

const ROOM_BYTES = 256

/** A name of exactly so many bytes, most of them in characters of two. */
function longName(start: string, bytes: number): string {
  const rest = bytes - start.length
  return start + 'é'.repeat(Math.floor(rest / 2)) + 'x'.repeat(rest % 2)
}

/** Joins them one by one; those that the server forbids are left out. */
async function joinAll(scene: Scene, rooms: readonly string[]): Promise<readonly Member[]> {
  const author = newAuthor()
  const peer = await scene.dial({ client: author.id, connection: 1 })
  const members: Member[] = []
  for (const room of rooms) {
    const [answer] = [...(await peer.join([{ room }])).values()]
    const isForbidden = answer?.type === 'error' && answer.code === 'forbidden'
    if (!isForbidden) members.push(new Member(peer, author, joinedOf(answer, room)))
  }
  return members
}

export const WORDS: readonly Check[] = [
  {
    id: 'words.longest-name',
    section: 'words',
    level: 'must',
    title: 'A room name may have 256 bytes of UTF-8',
    fix: 'count the bytes of UTF-8 and allow 256; where your store takes less, hash the name',
    after: ['join.one'],
    async run(scene) {
      const room = longName(scene.room(), ROOM_BYTES)
      const [member] = await joinAll(scene, [room])
      if (member === undefined) throw new NotChecked('the server forbids such a name')
      await member.worksStill('a join of 256 bytes')
    },
  },
  {
    id: 'words.too-long-name',
    section: 'words',
    level: 'must',
    title: 'A room name of 257 bytes of UTF-8, or of none, is refused with bad-frame',
    fix: 'count the bytes of UTF-8, not characters, and refuse the frame where a name has none or more than 256',
    after: ['join.one'],
    async run(scene) {
      const peer = await scene.dial()
      for (const room of [longName(scene.room(), ROOM_BYTES + 1), '']) {
        const id = peer.newId()
        peer.raw(JSON.stringify({ type: 'join', id, rooms: [{ room }] }), id)
        refusedWith(
          await peer.answer(id, 'join'),
          'bad-frame',
          `a name of ${room === '' ? 'no' : 257} bytes`,
        )
      }
    },
  },
  {
    id: 'words.names-differ',
    section: 'words',
    level: 'must',
    title: 'Names are compared byte by byte: case and composed characters make another room',
    fix: 'use the name as it came: no lower case, no normalization, no trimming',
    after: ['send.ok'],
    async run(scene) {
      const room = scene.room()
      const members = await joinAll(
        scene,
        ['', '-a', '-A', '-\u00e9', '-e\u0301', '-a '].map((tail) => room + tail),
      )
      for (const member of members) {
        const seq = await member.say(member.room)
        ensure(seq === 1, `the first message of ${show(member.room)} got seq ${seq}`)
        const { data } = await member.hear()
        ensure(data === member.room, `${show(member.room)} got the message of ${show(data)}`)
      }
    },
  },
  {
    id: 'words.names-of-objects',
    section: 'words',
    level: 'must',
    title: 'Names such as __proto__ and constructor are names',
    fix: 'keep rooms in a Map, not in an object',
    after: ['send.ok'],
    async run(scene) {
      const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
      for (const member of await joinAll(scene, names)) await member.worksStill(member.room)
    },
  },
]
