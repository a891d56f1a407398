/** Tokens of two people who may look alike, and what becomes of the first one's things when the second one comes. */
import { isDeepStrictEqual } from 'node:util'
import { type AuthedSocket, type Room, roomPerSocket } from '../../src/index.ts'
import { outcomeOf, pass, REFUSE, SECOND, type StoryServer } from './story.ts'

let minted = 0

/** A token with this payload, as its bytes are; each has another value. */
export const tokenOf = (payload: string): string =>
  `e30.${Buffer.from(payload).toString('base64url')}.${++minted}`

/** `same`: the second token is of the same person. */
export interface Pair {
  readonly name: string
  readonly first: string
  readonly second: string
  readonly person: 'same' | 'another'
}

const named =
  (person: Pair['person']) =>
  ([name, first, second]: readonly [string, string, string]): Pair => ({
    name,
    first: tokenOf(first),
    second: tokenOf(second),
    person,
  })

const BIG = '1234567890123456768'
const BIGGER = '1234567890123456769'

/** By what their tokens say, across two logins. */
export const PAIRS: readonly Pair[] = [
  ...(
    [
      ['another jti', '{"sub":"ann","jti":"1"}', '{"sub":"ann","jti":"2"}'],
      ['another iat and exp', '{"sub":"ann","iat":1,"exp":9e9}', '{"sub":"ann","iat":2,"exp":8e9}'],
      ['another scope', '{"sub":"ann","scope":"a"}', '{"sub":"ann","scope":"a b"}'],
      ['another type of token', '{"sub":"ann","token_type":"a"}', '{"sub":"ann","token_type":"b"}'],
      ['another session', '{"user_id":7,"sid":"a"}', '{"user_id":7,"sid":"b"}'],
      ['another order of the claims', '{"iss":"x","sub":"ann"}', '{"sub":"ann","iss":"x"}'],
      [
        'all three claims',
        '{"iss":"x","sub":"a","user_id":7}',
        '{"iss":"x","sub":"a","user_id":7}',
      ],
      ['a number as text', '{"user_id":7}', '{"user_id":"7"}'],
      ['a number written otherwise', '{"user_id":1}', '{"user_id":1.0}'],
      ['a large safe integer', '{"sub":9007199254740991}', '{"sub":9007199254740991}'],
      ['the same large number', `{"user_id":${BIG}}`, `{"user_id":${BIG},"jti":1}`],
      ['the same large number as text', `{"user_id":"${BIG}"}`, `{"user_id":"${BIG}"}`],
      ['another claim twice, the last one the same', '{"sub":"bob","sub":"ann"}', '{"sub":"ann"}'],
      [
        'sub inside another claim',
        '{"sub":"ann","act":{"sub":"x"}}',
        '{"sub":"ann","act":{"sub":"y"}}',
      ],
      ['sub inside a text', '{"sub":"ann","n":"\\"sub\\":12"}', '{"sub":"ann","n":"\\"sub\\":13"}'],
      ['an escaped key', '{"s\\u0075b":"ann"}', '{"sub":"ann"}'],
      ['an escaped value', '{"sub":"\\u0061nn"}', '{"sub":"ann"}'],
      ['letters of another script', '{"sub":"Ægir 山"}', '{"sub":"Ægir 山"}'],
    ] as const
  ).map(named('same')),
  ...(
    [
      ['another sub', '{"sub":"ann"}', '{"sub":"bob"}'],
      ['another user_id', '{"user_id":1}', '{"user_id":2}'],
      [
        'a constant sub, another user_id',
        '{"sub":"access","user_id":1}',
        '{"sub":"access","user_id":2}',
      ],
      ['a constant user_id, another sub', '{"sub":"ann","user_id":0}', '{"sub":"bob","user_id":0}'],
      ['another issuer', '{"iss":"a","sub":"ann"}', '{"iss":"b","sub":"ann"}'],
      ['an issuer that the other one lacks', '{"iss":"a","sub":"ann"}', '{"sub":"ann"}'],
      ['a sub that the other one lacks', '{"sub":"ann","user_id":1}', '{"user_id":1}'],
      ['a user_id that the other one lacks', '{"sub":"ann"}', '{"sub":"ann","user_id":1}'],
      ['the same name in another claim', '{"sub":"1"}', '{"user_id":"1"}'],
      ['large numbers that are rounded alike', `{"user_id":${BIG}}`, `{"user_id":${BIGGER}}`],
      [
        'the same, beside a constant sub',
        `{"sub":"x","user_id":${BIG}}`,
        `{"sub":"x","user_id":${BIGGER}}`,
      ],
      ['the first number that is not safe', '{"sub":9007199254740992}', '{"sub":9007199254740993}'],
      ['negative ones', `{"sub":-${BIG}}`, `{"sub":-${BIGGER}}`],
      ['longer ones', '{"sub":1000000000000000000000}', '{"sub":1000000000000000000001}'],
      ['with an exponent', '{"sub":1.0000000000000001e21}', '{"sub":1.00000000000000011e21}'],
      ['with a fraction', '{"sub":1.5}', '{"sub":1.25}'],
      [
        'with a fraction that is rounded away',
        '{"sub":1.00000000000000001}',
        '{"sub":1.00000000000000002}',
      ],
      ['too large for a number', '{"sub":1e400}', '{"sub":2e400}'],
      [
        'the last of two large ones',
        `{"sub":${BIG},"sub":${BIG}}`,
        `{"sub":${BIG},"sub":${BIGGER}}`,
      ],
      ['under an escaped key', `{"s\\u0075b":${BIG}}`, `{"s\\u0075b":${BIGGER}}`],
      [
        'behind a text that looks like a claim',
        `{"n":"\\"sub\\":1,","sub":${BIG}}`,
        `{"n":"\\"sub\\":1,","sub":${BIGGER}}`,
      ],
      [
        'an issuer that is a large number',
        `{"iss":${BIG},"sub":"ann"}`,
        `{"iss":${BIGGER},"sub":"ann"}`,
      ],
      ['an object', '{"user_id":{"$oid":"a"}}', '{"user_id":{"$oid":"b"}}'],
      [
        'an object beside a constant sub',
        '{"sub":"x","user_id":{"$oid":"a"}}',
        '{"sub":"x","user_id":{"$oid":"b"}}',
      ],
      ['a list', '{"sub":[1]}', '{"sub":[1]}'],
      ['a truth value', '{"sub":"x","user_id":true}', '{"sub":"x","user_id":true}'],
      ['no name', '{"jti":1}', '{"jti":2}'],
      ['an issuer alone', '{"iss":"a"}', '{"iss":"a"}'],
      ['an empty name', '{"sub":""}', '{"sub":""}'],
      ['no JSON', 'a', 'b'],
    ] as const
  ).map(named('another')),
  { name: 'opaque tokens', first: 'opaque-1', second: 'opaque-2', person: 'another' },
  { name: 'the very same opaque token', first: 'opaque-3', second: 'opaque-3', person: 'same' },
]

/** What the first one has, on `roomPerSocket()`: a room, an iterator, a send that waits. */
export interface Things {
  readonly lobby: Room
  /** What became of all that, once somebody else came, or the same person did. */
  fate(): Promise<'kept' | 'gone'>
}

export const ROOMS = { protocol: roomPerSocket() }

/** The connection is lost while a send waits. */
export const leaveThings = async (server: StoryServer, socket: AuthedSocket): Promise<Things> => {
  const lobby = socket.room('lobby')
  lobby.join()
  await pass(10 * SECOND)
  if (lobby.state !== 'joined') throw new Error(`the first one did not get in: ${lobby.state}`)
  const heard: string[] = []
  lobby.on('left', ({ reason }) => heard.push(`left: ${reason}`))
  const stream = lobby[Symbol.asyncIterator]()
  const read = outcomeOf(
    stream.next().then(({ done }) => (done ? undefined : Promise.reject('read'))),
  )
  server.receive = () => REFUSE
  server.closeAll(1006)
  await pass(10)
  const sent = outcomeOf(lobby.send('of the first one'))
  const before = server.dials.length
  return {
    lobby,
    async fate() {
      await pass(10 * SECOND)
      server.say('to whoever is here')
      await pass(SECOND)
      const dialed = server.dials.slice(before).some(({ reception }) => reception !== REFUSE)
      const arrived = server.received.some(({ data }) => data.includes('of the first one'))
      const facts = {
        room: lobby.state,
        heard: heard.join(),
        dialed,
        sent: arrived ? sent.is : `not sent: ${sent.is}`,
        iterator: read.is === 'read' ? 'goes on' : 'has ended',
      }
      const isGone = { ...facts, sent: facts.sent.replace('TokenRefused', 'NotConnected') }
      if (isDeepStrictEqual(isGone, GONE)) return 'gone'
      const { room, heard: left } = facts
      const isKept = room === 'joined' && left === '' && dialed
      if (isKept && KEPT.includes(`${facts.sent}, ${facts.iterator}`)) return 'kept'
      throw new Error(`neither kept nor gone: ${JSON.stringify(facts)}`)
    },
  }
}

const GONE = {
  room: 'idle',
  heard: 'left: signed-out',
  dialed: false,
  sent: 'not sent: NotConnectedError',
  iterator: 'has ended',
}
/** A send that waits does not outlive `disconnect()` or a failure, nor its socket where nobody knows whose it is. */
const KEPT = [
  'done, goes on',
  'not sent: NotConnectedError, goes on',
  'not sent: TokenRefusedError, has ended',
]
