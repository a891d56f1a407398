/** What runtimes say in words of their own of a handshake: used where it is exact, and passed on nowhere. */
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { dialTo, SCRIPTED, ScriptedSocket } from './dialing.ts'

const URLS = [
  'ws://a.example/chat/?token=secret-4711',
  // Words that a text could be searched for.
  'ws://a.example/subprotocol/?q=Server sent no subprotocol&token=secret-4711',
  'ws://a.example/?token=Expected 101 status code: 403',
]

/** As Bun 1.4.5, Deno 2.9.6, workerd 2026-11-17, ws 8.23 and Node 22.23 word it. */
const bun = (url: string, why: string) => `WebSocket connection to '${url}' failed: ${why}`
const deno = (why: string) => `NetworkError: failed to connect to WebSocket: ${why}`
const workerd = (status: number) =>
  `Uncaught TypeError: Failed to establish the WebSocket connection: expected server to reply with HTTP status code 101 (switching protocols), but received ${status} instead.`

const made = async (url: string, protocols: readonly string[]) => {
  const before = ScriptedSocket.made.length
  const dialed = dialTo(url, SCRIPTED, { protocols })
  await expect.poll(() => ScriptedSocket.made.length).toBe(before + 1)
  return { dialed, last: ScriptedSocket.last }
}

const failed = async (url: string, message: string | undefined) => {
  const { dialed, last } = await made(url, ['app'])
  last.error(message)
  last.closed(1006)
  const end = await dialed.ended
  expect(dialed.ends).toHaveLength(1)
  return end
}

describe.each(URLS)('a handshake to %s that failed', (url) => {
  it.each([200, 302, 401, 403, 404, 503])('with %i tells the status', async (status) => {
    for (const text of [
      bun(url, `Expected 101 status code: ${status}`),
      deno(`Invalid status code: ${status}`),
      workerd(status),
    ]) {
      const end = await failed(url, text)
      expect(end).toEqual({ kind: 'status', status, retryAfter: undefined })
      expect(inspect(end)).not.toContain('secret-4711')
    }
  })

  it.each([
    bun(url, 'Missing client protocol'),
    bun(url, 'Mismatch client protocol'),
    'Server sent no subprotocol',
    'Server sent an invalid subprotocol',
    'Server sent a subprotocol but none was requested',
    'Server did not respond with sent protocols.',
    'Protocol was not set in the opening handshake.',
  ])('for its subprotocol says so: %s', async (text) => {
    expect(await failed(url, text)).toEqual({ kind: 'subprotocol' })
  })

  it.each([
    undefined,
    '',
    bun(url, 'Connection ended'),
    bun(url, 'Failed to connect'),
    deno('connection closed before message completed'),
    'Uncaught Error: Network connection lost.',
    'Received network error or non-101 status code.',
    'Invalid status code: ???',
    'Invalid status code: 40',
    'but received nothing instead.',
    `the subprotocol is in ${url}`,
  ])('for another reason is lost: %s', async (text) => {
    expect(await failed(url, text)).toEqual({ kind: 'closed', code: 1006, reason: '' })
  })
})

describe('an open socket', () => {
  const open = async (protocols: readonly string[], protocol: string | null | undefined) => {
    const { dialed, last } = await made(URLS[0] ?? '', protocols)
    last.protocol = protocol
    last.open()
    last.message('a frame that came with it')
    return { dialed, last }
  }

  it.each([
    [['app', 'token'], ''],
    [['app', 'token'], null],
    [['app', 'token'], 'other'],
    [['app'], 'App'],
    [[], 'unasked'],
  ])('of %j that was answered with %j is left', async (protocols, protocol) => {
    const { dialed, last } = await open(protocols, protocol)
    expect(dialed.ends).toEqual([{ kind: 'subprotocol' }])
    expect(dialed.events).toEqual(['ended'])
    expect(last.readyState).toBe(2)
  })

  it.each([
    [['app', 'token'], 'app'],
    [['app', 'token'], 'token'],
    [['app'], undefined],
    [[], ''],
    [[], null],
    [[], undefined],
  ])('of %j that was answered with %j stays', async (protocols, protocol) => {
    const { dialed } = await open(protocols, protocol)
    expect(dialed.events).toEqual(['opened', 'frame'])
    dialed.socket.close()
  })

  it('whose connection breaks has no code 0', async () => {
    const { dialed, last } = await open([], undefined)
    last.closed(0)
    expect(dialed.ends).toEqual([{ kind: 'closed', code: 1006, reason: '' }])
  })
})
