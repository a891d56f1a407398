import { describe, expect, it } from 'vitest'
import {
  type Transmission,
  viaCookie,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../src/index.ts'
import { everythingSaid, referenceServer, rejection, watched } from './bad-input-support.ts'

/** Both halves of every token; none may be found anywhere. */
const LEFT = 'canaryLEFTq7w'
const RIGHT = 'canaryRIGHTz9k'

const PARTS = {
  CR: '\r',
  LF: '\n',
  CRLF: '\r\nX-Evil: 1\r\n',
  NUL: '\0',
  DEL: '\x7f',
  'a tab': '\t',
  'half a surrogate pair': '\ud83d',
  'a comma': ',',
  'an equals sign': '=',
  'a space': ' ',
  'a semicolon': ';',
  'a quote': '"',
  'a slash': '/',
  'a character beyond Latin-1': '€',
  'an emoji': '😀',
} as const
type Part = keyof typeof PARTS

const ENCODED: Part[] = [
  'a comma',
  'an equals sign',
  'a space',
  'a semicolon',
  'a quote',
  'a slash',
  'a character beyond Latin-1',
  'an emoji',
]

interface Way {
  name: string
  transmission: Transmission
  /** What travels, encoded or as it is; everything else is refused before any I/O. */
  travels: Part[]
}

const WAYS: Way[] = [
  { name: 'query', transmission: viaQuery({ acceptLogging: true }), travels: ENCODED },
  { name: 'pair', transmission: viaSubprotocol('pair'), travels: [] },
  { name: 'bearer', transmission: viaSubprotocol('bearer'), travels: ENCODED },
  {
    name: 'header',
    transmission: viaHeader(),
    travels: ['a comma', 'an equals sign', 'a semicolon', 'a quote', 'a slash'],
  },
  { name: 'cookie', transmission: viaCookie(), travels: ['an equals sign', 'a slash'] },
  { name: 'Jupyter', transmission: viaSubprotocol('jupyter'), travels: ENCODED },
]

const ROWS = WAYS.flatMap(({ name, transmission, travels }) =>
  // Object.keys forgets what the keys are.
  (Object.keys(PARTS) as Part[]).map((part) => ({
    name,
    transmission,
    part,
    travels: travels.includes(part),
  })),
)

/** No socket counts as accepted before the server has closed it, however busy this machine is. */
const SETTLE_MS = 5_000

const isSecret = (said: string): boolean =>
  [LEFT, RIGHT, btoa(LEFT).slice(0, 12), btoa(RIGHT).slice(0, 12)].every(
    (piece) => !said.includes(piece),
  )

describe('a token that cannot travel (T14)', () => {
  it.each(ROWS.filter(({ travels }) => !travels))(
    'by $name with $part fails before any I/O, and is told nowhere',
    async ({ transmission, part }) => {
      const server = await referenceServer()
      const token = `${LEFT}${PARTS[part]}${RIGHT}`
      const auth = () => token
      const client = watched({
        settleMs: SETTLE_MS,
        url: `${server.wsUrl}/ws/plain`,
        transmission,
        auth,
      })
      const error = await rejection(client.socket.connect())
      const said = everythingSaid(client, error)
      expect(error).toMatchObject({ name: 'TokenInvalidError', code: 'TOKEN_INVALID' })
      expect(client.socket.status).toEqual({ state: 'failed', error, action: 'fix-configuration' })
      expect(await rejection(client.socket.send({ message: 'x' }))).toBe(error)
      expect(client.errors.every((one) => one === error)).toBe(true)
      expect(server.counts().dials).toBe(0)
      expect(isSecret(said())).toBe(true)
    },
  )
})

describe('a token that travels', () => {
  it.each(ROWS.filter(({ travels }) => travels))(
    'by $name with $part is refused by the server only, and is told nowhere',
    async ({ transmission, part }) => {
      const server = await referenceServer()
      const token = `${LEFT}${PARTS[part]}${RIGHT}`
      let asked = 0
      const auth = () => {
        asked += 1
        return token
      }
      const client = watched({
        settleMs: SETTLE_MS,
        url: `${server.wsUrl}/ws/plain`,
        transmission,
        auth,
      })
      const error = await rejection(client.socket.connect())
      const said = everythingSaid(client, error)
      expect(error).toMatchObject({ code: 'CREDENTIAL_REJECTED' })
      expect(client.socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
      // The same value again is dialed once more, spaced.
      expect([server.counts().dials, asked]).toEqual([2, 2])
      expect(server.dials().every(({ outcome }) => outcome === 'token-refused')).toBe(true)
      expect(isSecret(said())).toBe(true)
    },
  )

  it.each(WAYS)('by $name with 64 KiB is named as too long (T15)', async ({ transmission }) => {
    const server = await referenceServer()
    const token = LEFT.repeat(65_536 / LEFT.length)
    const client = watched({
      settleMs: SETTLE_MS,
      url: `${server.wsUrl}/ws/plain`,
      transmission,
      auth: () => token,
    })
    const error = await rejection(client.socket.connect())
    const said = everythingSaid(client, error)
    expect(error).toMatchObject({ code: 'HANDSHAKE_REFUSED', status: 431 })
    expect(error).toMatchObject({ message: expect.stringContaining('too long') })
    expect(client.socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect(server.counts().accepted).toBe(0)
    expect(isSecret(said())).toBe(true)
  })

  it.each(WAYS)('by $name with 4 KiB of good characters arrives', async ({ transmission }) => {
    const server = await referenceServer()
    const token = 'x'.repeat(4_096)
    const client = watched({
      settleMs: SETTLE_MS,
      url: `${server.wsUrl}/ws/plain`,
      transmission,
      auth: () => token,
    })
    await rejection(client.socket.connect())
    const expected = { query: 'query', header: 'header', cookie: 'cookie' }[transmission.name]
    const seen = server.dials().map(({ transmissions }) => transmissions)
    for (const transmissions of seen) {
      expect(transmissions).toHaveLength(1)
      expect(transmissions[0]).toContain(expected ?? 'subprotocol')
    }
  })
})

describe('what is no token', () => {
  it.each([
    undefined,
    '',
    0,
    true,
    [LEFT],
    {},
    { token: '' },
    { token: 7 },
    { token: LEFT, expiresInMs: 'soon' },
    { token: LEFT, expiresInMs: Number.NaN },
    { token: LEFT, expiresAt: 1_800_000_000 },
  ])('%j is never sent, and is told nowhere', async (answer) => {
    const server = await referenceServer()
    const client = watched({
      settleMs: SETTLE_MS,
      url: `${server.wsUrl}/ws/plain`,
      auth: () => answer as never,
    })
    const said = everythingSaid(client)
    client.socket.connect()
    await expect.poll(() => client.socket.state).toBe('waiting')
    expect(client.socket.status).toMatchObject({ error: { code: 'TOKEN_INVALID' } })
    expect(server.counts().dials).toBe(0)
    expect(isSecret(said())).toBe(true)
  })

  it('null is no failure of the source: somebody has to sign in', async () => {
    const server = await referenceServer()
    const client = watched({
      settleMs: SETTLE_MS,
      url: `${server.wsUrl}/ws/plain`,
      auth: () => null,
    })
    expect(await rejection(client.socket.connect())).toMatchObject({ code: 'TOKEN_REFUSED' })
    expect(client.socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect(client.events.map(([name]) => name)).toContain('signinrequired')
    expect(server.counts().dials).toBe(0)
  })

  it.each([
    ['throws', () => Promise.reject(new Error(`${LEFT} ${RIGHT}`))],
    ['throws a string', () => Promise.reject(LEFT)],
    ['throws undefined', () => Promise.reject(undefined)],
    [
      'throws an error with a request in it',
      () => Promise.reject(Object.assign(new Error('x'), { config: { headers: { a: LEFT } } })),
    ],
    [
      'throws at once',
      () => {
        throw new Error(RIGHT)
      },
    ],
  ])('a source that %s is asked again, and is told nowhere', async (_, auth) => {
    const server = await referenceServer()
    const client = watched({ settleMs: SETTLE_MS, url: `${server.wsUrl}/ws/plain`, auth })
    const said = everythingSaid(client)
    client.socket.connect()
    await expect.poll(() => client.socket.state).toBe('waiting')
    expect(client.socket.status).toMatchObject({ error: { code: 'TOKEN_UNAVAILABLE' } })
    expect(server.counts().dials).toBe(0)
    expect(isSecret(said())).toBe(true)
  })
})
