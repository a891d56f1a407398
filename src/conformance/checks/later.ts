/** "Later versions and unknown things". */
import type { Check } from '../check.ts'
import { PROTOCOL } from '../frames.ts'
import { ensure, show } from '../judging.ts'
import { joinedOf, Member, newAuthor, refusedWith } from '../member.ts'
import type { Answer } from '../peer.ts'
import { whyNot } from '../scene.ts'

const section = 'later-versions-and-unknown-things'

/** Members that no version has, among them names that are something to an object. */
const UNKNOWN: Readonly<Record<string, unknown>> = JSON.parse(
  '{"x-later":{"deep":[1]},"x-null":null,"__proto__":{"type":"leave"},"constructor":5,"toString":1}',
)

export const LATER: readonly Check[] = [
  {
    id: 'later.members',
    section,
    level: 'must',
    title: 'Members that are not known are ignored, in every frame',
    fix: 'read the members that you know, and refuse no frame for others',
    after: ['send.others', 'leave.ok'],
    async run(scene) {
      const author = newAuthor()
      const peer = await scene.dial({ client: author.id, connection: 1 })
      const room = scene.room()
      const ask = (body: Parameters<typeof peer.ask>[0]): Promise<Answer> =>
        peer.ask({ ...body, ...UNKNOWN })
      const joined = await ask({ type: 'join', rooms: [{ room, ...UNKNOWN }] })
      const member = new Member(peer, author, joinedOf(joined, room))
      const answers = [
        await ask(member.write('x')),
        await ask({ type: 'ping' }),
        ...(scene.has('history') ? [await ask({ type: 'history', room, limit: 1 })] : []),
        ...(scene.has('auth')
          ? [await ask({ type: 'auth', token: await scene.tokenOf('a') })]
          : []),
        await ask({ type: 'leave', room }),
      ]
      const refused = answers.find(({ type }) => type === 'error')
      ensure(refused === undefined, `with unknown members a frame was answered by ${show(refused)}`)
      const message = await member.hear()
      ensure(!('x-later' in message), 'an unknown member of a send came through to the room')
    },
  },
  {
    id: 'later.types',
    section,
    level: 'must',
    title: 'A frame of an unknown type is answered by bad-frame with its id',
    fix: 'answer it by error bad-frame; do not close, and do not stay silent',
    after: ['send.ok'],
    async run(scene) {
      const member = await scene.member()
      const { peer } = member
      const id = peer.newId()
      peer.raw(JSON.stringify({ type: 'conformance-later', id, data: null }), id)
      refusedWith(await peer.answer(id, 'frame of a later version'), 'bad-frame', 'it')
      await member.worksStill('a frame of a later version')
    },
  },
  {
    id: 'later.query',
    section,
    level: 'must',
    title:
      'Members of the query that are not known, or are wrong, do not end the handshake with an error',
    fix: 'ignore what you do not know in the query, and take no `client` and `connection` that are wrong',
    after: ['welcome.frame'],
    async run(scene) {
      await scene.dial({
        query: [
          ['x-later', '1'],
          ['x-later', '2'],
          ['x-=&', '\u00e9'],
        ],
      })
      for (const [client, connection] of [
        ['conformance', '1'],
        [newAuthor().id, '-1'],
        [newAuthor().id, '9'.repeat(400)],
        ['', ''],
      ] as const) {
        const query = [
          ['client', client],
          ['connection', connection],
        ] as const
        const opening = await scene.open({ query })
        const detail = opening.kind === 'open' ? '' : whyNot(opening)
        ensure(detail === '', `client=${client}&connection=${connection}: ${detail}`)
      }
    },
  },
  {
    id: 'later.subprotocols',
    section,
    level: 'must',
    title: 'A client may offer several versions; the server answers with the one that it speaks',
    fix: 'look for authed-rooms.v1 among all offered words, not only in the first place',
    after: ['welcome.frame'],
    async run(scene) {
      const peer = await scene.dial({ protocols: ['authed-rooms.v999', PROTOCOL] })
      ensure(peer.echoed === PROTOCOL, `${show(peer.echoed)} came back`)
    },
  },
]
