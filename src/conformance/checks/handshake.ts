/** "Handshake": the subprotocol, tokens that are refused, the first frame, rooms of the URL. */
import type { Check } from '../check.ts'
import { PROTOCOL } from '../frames.ts'
import { type DialOptions, NO_TOKEN } from '../handshake.ts'
import { ensure, fail, show } from '../judging.ts'
import { joinedOf, Member, newAuthor } from '../member.ts'
import type { Peer } from '../peer.ts'
import { type Scene, whyNot } from '../scene.ts'

/** What "a few seconds" may come to, in answers. */
const FEW = 3

export const ACCEPT_FIRST =
  'accept first, then close with 4003: a close before accept never reaches a browser, which sees 1006 as from a dead network'

const section = 'handshake'

async function opened(scene: Scene, dial: DialOptions, fix?: string): Promise<Peer> {
  const opening = await scene.open(dial)
  return opening.kind === 'open' ? opening.peer : fail(whyNot(opening), fix)
}

function ensureEcho(peer: Peer): void {
  ensure(
    peer.echoed === PROTOCOL,
    `Sec-WebSocket-Protocol came back as ${show(peer.echoed)}, not as ${PROTOCOL}`,
  )
}

/** Accepted, then 4003 and nothing else. */
async function ensureRefusal(scene: Scene, dial: DialOptions, patienceMs?: number): Promise<void> {
  const peer = await opened(scene, dial, ACCEPT_FIRST)
  await ensureRefused(peer, patienceMs)
}

async function ensureRefused(peer: Peer, patienceMs?: number): Promise<void> {
  const { code } = await peer.closing(patienceMs)
  const frame = peer.here({})
  ensure(
    frame === undefined,
    `${show(frame)} came before the close`,
    'send nothing before the close',
  )
  ensure(
    code === 4003 || code === 4401,
    `closed with ${code}`,
    code === 1011
      ? 'close with 4003; daphne turns 1008 and other codes below 3000 into 1011'
      : undefined,
  )
}

export const HANDSHAKE: readonly Check[] = [
  {
    id: 'handshake.echo-only',
    section,
    level: 'must',
    title: 'authed-rooms.v1 comes back, and no other offered word: it may be the token',
    fix: 'answer with the word authed-rooms.v1 alone, whatever else was offered',
    async run(scene) {
      // A token that is none, in the place of one: no real one is risked here.
      const protocols = [PROTOCOL, 'conformance-word', NO_TOKEN]
      const opening = await scene.open({ token: null, protocols })
      if (opening.kind === 'open') ensureEcho(opening.peer)
      else fail(whyNot(opening))
    },
  },
  {
    id: 'handshake.bad-token',
    section,
    level: 'must',
    title: 'A bad token: accepted, nothing is sent, closed with 4003',
    fix: 'accept whatever the token is worth, then close with 4003',
    run: (scene) => ensureRefusal(scene, { token: NO_TOKEN }),
  },
  {
    id: 'handshake.expired-token',
    section,
    level: 'must',
    title: 'An expired token: accepted, nothing is sent, closed with 4003',
    fix: 'compare the expiry when the token arrives, and close with 4003',
    needs: ['expired-token'],
    run: (scene) => ensureRefusal(scene, { user: 'expired' }),
  },
  {
    id: 'handshake.no-token',
    section,
    level: 'must',
    title: 'No token: accepted, closed with 4003, with `auth` after a few seconds without a frame',
    fix: 'close with 4003 where no token came; with `auth`, set a timer of a few seconds',
    slow: true,
    run: (scene) =>
      ensureRefusal(
        scene,
        { token: null },
        scene.options.timeoutMs * (scene.has('auth') ? FEW : 1),
      ),
  },
  {
    id: 'handshake.two-tokens',
    section,
    level: 'must',
    title: 'Two tokens in one handshake: closed with 4003',
    fix: 'refuse a handshake that carries more than one token, even where they are equal',
    needs: ['query-token'],
    async run(scene) {
      const { transmission } = scene.options
      const token = await scene.tokenOf('a')
      const bare = { url: new URL('ws://localhost'), protocols: [], headers: {} }
      const names = [...transmission.carry(bare, token).url.searchParams.keys()]
      await ensureRefusal(scene, { query: names.map((name) => [name, token]) })
    },
  },
  {
    id: 'handshake.first-frame',
    section,
    level: 'must',
    title: 'Without a token in the handshake, an auth frame is answered by welcome',
    fix: 'where no token came, wait for one auth frame and judge its token as one of the handshake',
    needs: ['auth'],
    after: ['welcome.frame'],
    async run(scene) {
      const peer = await opened(scene, { token: null })
      peer.authenticate(await scene.tokenOf('a'))
      const { user } = await peer.take({ type: 'welcome' })
      ensure(user === scene.welcome.user, `welcome named the user ${show(user)}`)
    },
  },
  {
    id: 'handshake.first-frame-refused',
    section,
    level: 'must',
    title: 'A bad token in the first auth frame: nothing is sent, closed with 4003',
    fix: 'close with 4003 where the first auth frame holds a bad token; an error answers only later ones',
    needs: ['auth'],
    async run(scene) {
      const peer = await opened(scene, { token: null })
      peer.authenticate(NO_TOKEN)
      await ensureRefused(peer)
    },
  },
  {
    id: 'handshake.first-frame-only',
    section,
    level: 'must',
    title: 'Before the auth frame no other frame is read',
    fix: 'answer nothing before welcome',
    needs: ['auth'],
    async run(scene) {
      const peer = await opened(scene, { token: null })
      peer.say({ type: 'ping' })
      const frame = await peer.listen({})
      ensure(frame === undefined, `a ping before auth was answered by ${show(frame)}`)
    },
  },
  {
    id: 'handshake.foreign-client',
    section,
    level: 'should',
    title:
      'A client that does not offer authed-rooms.v1: accepted without a subprotocol, closed with 1002',
    fix: 'look at the subprotocols before the token, and close with 1002 where authed-rooms.v1 is missing',
    async run(scene) {
      const { transmission } = scene.options
      const isOffered = transmission.name === 'subprotocol'
      const peer = await opened(scene, { protocols: [], ...(isOffered ? { token: null } : {}) })
      const { code } = await peer.closing()
      ensure(code === 1002, `closed with ${code}`)
    },
  },
  {
    id: 'handshake.origin',
    section,
    level: 'must',
    title: 'A server that reads a cookie checks the Origin header',
    fix: 'compare Origin with your own list before you read the cookie: any page can open a WebSocket with it',
    needs: ['cookie-token'],
    async run(scene) {
      const opening = await scene.open({ headers: { Origin: 'https://conformance.invalid' } })
      if (opening.kind !== 'open') return
      const welcome = await opening.peer.listen({ type: 'welcome' })
      ensure(welcome === undefined, 'a page of https://conformance.invalid was welcomed')
    },
  },
  {
    id: 'handshake.rooms-of-url',
    section,
    level: 'must',
    title: 'Each `join` of the query is answered by joined without an id, after welcome',
    fix: 'join the rooms of the query after welcome, and answer each as a join without id',
    needs: ['join-in-url'],
    after: ['join.one'],
    async run(scene) {
      const author = newAuthor()
      const rooms = [scene.room(), scene.room('-é&=')]
      const peer = await scene.dial({ client: author.id, connection: 1, joins: rooms })
      for (const room of rooms) {
        const joined = joinedOf(
          await peer.take({ type: 'joined', room }, `joined of ${room}`),
          room,
        )
        ensure(joined.id === undefined, `joined of a room of the URL had the id ${joined.id}`)
        ensure(!joined.recovered && joined.messages === undefined, `it was ${show(joined)}`)
        await new Member(peer, author, joined).worksStill('a join in the URL')
      }
    },
  },
  {
    id: 'handshake.rooms-of-url-refused',
    section,
    level: 'must',
    title:
      'A forbidden `join` of the query is answered by an error without an id, and leaves the others alone',
    fix: 'answer a refused room of the query by error forbidden with `room` and without `id`',
    needs: ['join-in-url', 'forbidden-room'],
    after: ['join.one'],
    async run(scene) {
      const { forbidden = '' } = scene.options
      const author = newAuthor()
      const good = scene.room()
      const joins = [forbidden, good]
      const peer = await scene.dial({ client: author.id, connection: 1, joins })
      const error = await peer.take({ type: 'error', room: forbidden }, 'error of the room')
      ensure(error.code === 'forbidden' && error.id === undefined, `it was ${show(error)}`)
      const joined = await peer.take({ type: 'joined', room: good }, 'joined of the other room')
      await new Member(peer, author, joined).worksStill('a refused room')
    },
  },
]
