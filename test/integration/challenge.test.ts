/** A first message that is made from what the server says first. */
import { describe, expect, it, vi } from 'vitest'
import {
  type AuthedSocketOptions,
  type FirstMessageOptions,
  fixedToken,
  plain,
  roomPerSocket,
  viaFirstMessage,
} from '../../src/index.ts'
import { obsAnswer, serveObs } from '../support/obs-server.ts'
import { serveSockets } from '../support/socket-server.ts'
import { everythingSaid, pause, rejection, watched } from './bad-input-support.ts'

const PASSWORD = 'canary-password'

interface Hello {
  readonly d: { readonly authentication: { readonly salt: string; readonly challenge: string } }
}

const identify = (password: string, hello: unknown) => {
  // What this server says first.
  const { salt, challenge } = (hello as Hello).d.authentication
  return { op: 1, d: { rpcVersion: 1, authentication: obsAnswer(password, salt, challenge) } }
}

const isOp = (op: number) => (frame: unknown) => (frame as { op?: number }).op === op

const dialogue = (frame: FirstMessageOptions['frame'], more: Partial<FirstMessageOptions> = {}) =>
  viaFirstMessage({ frame, after: isOp(0), accepted: isOp(2), ...more })

const obs = (
  url: string,
  frame: FirstMessageOptions['frame'],
  more: Partial<AuthedSocketOptions> = {},
) =>
  watched({
    url,
    auth: fixedToken(PASSWORD),
    transmission: dialogue(frame),
    protocol: plain(),
    closePolicy: { 4009: 'sign-in' },
    ...more,
  })

describe('the answer to a challenge', () => {
  it.each<[string, FirstMessageOptions['frame']]>([
    ['an object', identify],
    ['a text', (token, hello) => JSON.stringify(identify(token, hello))],
    ['a promise of an object', async (token, hello) => identify(token, hello)],
    [
      'a promise of a text that takes its time',
      async (token, hello) => {
        await pause(20)
        return JSON.stringify(identify(token, hello))
      },
    ],
  ])('may be %s', async (_, frame) => {
    const { url, frames } = await serveObs(PASSWORD)
    const { socket } = obs(url, frame)
    await socket.connect()
    expect(frames).toHaveLength(1)
    expect(frames.join()).not.toContain(PASSWORD)
  })

  it('is made anew for each socket', async () => {
    const { url, challenges, identified, frames } = await serveObs(PASSWORD)
    const made: unknown[] = []
    const { socket } = obs(url, (token, hello) => {
      made.push((hello as Hello).d.authentication.challenge)
      return identify(token, hello)
    })
    await socket.connect()
    identified[0]?.close(1012)
    await vi.waitFor(() => expect(identified).toHaveLength(2))
    await vi.waitFor(() => expect(socket.state).toBe('connected'))
    expect(made).toEqual(challenges)
    expect(new Set(frames).size).toBe(2)
  })

  it('is made for each room’s socket', async () => {
    const { url, challenges } = await serveObs(PASSWORD)
    const made: string[] = []
    const { socket } = obs(
      `${url}{room}`,
      (token, hello) => {
        made.push((hello as Hello).d.authentication.challenge)
        return identify(token, hello)
      },
      { protocol: roomPerSocket() },
    )
    await Promise.all([socket.join('a'), socket.join('b')])
    expect(made.sort()).toEqual([...challenges].sort())
  })

  it('that is wrong is refused by the server’s own code', async () => {
    const { url, frames } = await serveObs('another')
    const { socket } = obs(url, identify)
    await rejection(socket.connect())
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect(frames).toHaveLength(1)
  })

  it.each<[string, string | Buffer, unknown]>([
    ['a text', 'challenge abc', 'challenge abc'],
    ['a list', '["AUTH","abc"]', ['AUTH', 'abc']],
    ['bytes', Buffer.from('abc'), new Uint8Array(Buffer.from('abc')).buffer],
  ])('hears %s as the server said it', async (_, said, heard) => {
    const { url } = await serveSockets((socket) => {
      socket.send(said)
      socket.on('message', (data) => socket.send(`in ${data}`))
    })
    const seen: unknown[] = []
    const { socket } = watched({
      url,
      transmission: viaFirstMessage({
        after: () => true,
        frame: (token, challenge) => {
          seen.push(challenge)
          // As NIP-42 has it.
          return ['AUTH', token]
        },
        accepted: (frame) => String(frame).startsWith('in ["AUTH"'),
      }),
    })
    await socket.connect()
    expect(seen).toEqual([heard])
  })

  it('hears the first challenge, and no second one', async () => {
    const { url, frames } = await serveSockets((socket) => {
      socket.send('{"op":0,"n":1}')
      socket.send('{"op":0,"n":2}')
      socket.on('message', () => socket.send('{"op":2}'))
    })
    const { socket } = watched({
      url,
      transmission: dialogue(async (_, hello) => ({ of: (hello as { n: number }).n })),
    })
    await socket.connect()
    expect(frames).toEqual(['{"of":1}'])
  })

  it('without `after` is made before the dial, of nothing', async () => {
    const { url, frames } = await serveSockets((socket) => {
      socket.on('message', () => socket.send('{"op":2}'))
    })
    const { socket } = watched({
      url,
      transmission: viaFirstMessage({
        frame: (token, challenge) => ({ token, challenge: typeof challenge }),
        accepted: isOp(2),
      }),
    })
    await socket.connect()
    expect(frames).toEqual(['{"token":"token","challenge":"undefined"}'])
  })
})

describe('an answer that cannot be made', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error(PASSWORD)
      },
    ],
    ['rejects', () => Promise.reject(new Error(PASSWORD))],
    ['rejects with the token itself', () => Promise.reject(PASSWORD)],
    ['is nothing', () => undefined],
    ['is a promise of nothing', async () => undefined],
    ['is an empty text', async () => ''],
    ['is a number', async () => 7],
  ])('is misuse, told without the token, and dialed once: %s', async (_, frame) => {
    const { url, requests, frames } = await serveObs(PASSWORD)
    // Wrong on purpose.
    const watching = obs(url, frame as () => string)
    const said = everythingSaid(watching)
    await expect(watching.socket.connect()).rejects.toThrow(/viaFirstMessage: frame/)
    expect(watching.socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    await pause(20)
    expect([requests.length, frames]).toEqual([1, []])
    expect(said()).not.toContain('canary')
  })

  it('in time is an attempt that failed', async () => {
    const { url, requests } = await serveObs(PASSWORD)
    const never = new Promise<string>(() => {})
    const { socket } = obs(url, () => never, {
      transmission: dialogue(() => never, { timeoutMs: 30 }),
    })
    socket.connect().catch(() => {})
    await vi.waitFor(() => expect(requests.length).toBeGreaterThan(1))
    expect(socket.state).not.toBe('failed')
  })

  it('before the socket is given up is not sent', async () => {
    const { url, frames, requests } = await serveObs(PASSWORD)
    let sign = () => {}
    const { socket } = obs(
      url,
      (token, hello) =>
        new Promise((done) => {
          sign = () => done(identify(token, hello))
        }),
    )
    const connecting = rejection(socket.connect())
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    await pause(20)
    await socket.disconnect()
    sign()
    await connecting
    await pause(20)
    expect(frames).toEqual([])
    expect(socket.state).toBe('idle')
  })
})
