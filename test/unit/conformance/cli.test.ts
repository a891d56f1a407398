import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../../src/conformance/cli.ts'
import { CHECKS, RULES } from '../../../src/conformance/suite.ts'
import { brokenServer } from './broken-server.ts'
import { startTinyServer, type TinyServer } from './tiny-server.ts'

const ENV = { AUTHED_SOCKET_TOKEN_A: 'token-of.alice', AUTHED_SOCKET_TOKEN_B: 'token-of.bob' }

let server: TinyServer
beforeAll(async () => {
  server = await startTinyServer()
})
afterAll(() => server.close())

async function run(argv: readonly string[], env: Record<string, string> = ENV) {
  const texts = { out: '', err: '' }
  const code = await main({
    argv,
    env,
    out: (text) => {
      texts.out += text
    },
    err: (text) => {
      texts.err += text
    },
  })
  for (const text of Object.values(texts)) expect(text).not.toContain('token-of')
  return { code, ...texts }
}

describe('authed-socket-conformance', () => {
  it('ends with 0 where nothing fails, and says so', async () => {
    const { code, out, err } = await run([server.url, '--only', 'ping,leave.ok'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`${server.url} speaks authed-rooms.v1 (auth, call, history,`)
    expect(out).toMatch(/\d+ passed, 0 failed, 0 not offered, 0 not checked: conforms\n$/)
  })

  it('ends with 1 where a MUST fails, with what was seen, the change, the section and the frames', async () => {
    const broken = await brokenServer([
      ['const seq = room.messages.length + 1', 'const seq = room.messages.length'],
    ])
    const { code, out } = await run([broken.url, '--only=send.ok', '--token-by=query'])
    broken.close()
    expect(code).toBe(1)
    expect(out).toContain('send  docs/protocol.md#send\nfailed      send.ok: A send is answered')
    expect(out).toContain('message 1 of a fresh room got seq 0\n')
    expect(out).toContain('change: number the messages of each room from 1 on')
    expect(out).toMatch(/ a1 dials ws:.*\?client=…&connection=…&token=…\n/)
    expect(out).toContain('a1 < {"type":"ok","id":2,"seq":0}')
  })

  it('ends with 0 where only a SHOULD fails', async () => {
    const broken = await brokenServer([
      [
        'if (!offered(request).includes(PROTOCOL)) return socket.close(1002)',
        'if (!offered(request).includes(PROTOCOL)) return socket.close(4003)',
      ],
    ])
    const { code, out } = await run([broken.url, '--only', 'handshake.foreign-client'])
    broken.close()
    expect(code).toBe(0)
    expect(out).toMatch(/^should {6}handshake\.foreign-client/m)
  })

  it('says once what waits for a check that failed', async () => {
    const { code, out } = await run([server.url], { AUTHED_SOCKET_TOKEN_A: 'expired' })
    expect(code).toBe(1)
    expect(out).toContain('change: give a good token of the first user')
    expect(out).toMatch(/not-checked \d+ checks that wait for welcome\.frame to pass/)
    expect(out).not.toContain('presence.joins')
  })

  it('lists what passed on demand, and prints JSON', async () => {
    const { out } = await run([server.url, '--only', 'ping.pong', '--all'])
    expect(out).toMatch(/^passed {6}ping\.pong: ping is answered by pong/m)
    const report = JSON.parse((await run([server.url, '--only', 'ping.pong', '--json'])).out)
    expect(report).toMatchObject({ speaks: true, conforms: true, counts: { failed: 0 } })
  })

  it('fails for a feature that was to be there', async () => {
    const broken = await brokenServer([["'join-in-url', 'presence'", "'join-in-url'"]])
    const argv = [broken.url, '--only', 'presence.members']
    expect((await run(argv)).out).toContain('welcome.features does not hold presence')
    expect(await run([...argv, '--expect', 'call,presence'])).toMatchObject({ code: 1 })
    expect(await run(argv)).toMatchObject({ code: 0 })
    broken.close()
  })

  it('lists its checks and its flags', async () => {
    const { code, out } = await run(['--list'], {})
    expect([code, out.trim().split('\n').length]).toEqual([0, CHECKS.length + RULES.length])
    expect((await run(['--help'], {})).out).toContain('AUTHED_SOCKET_TOKEN_A')
  })

  it.each([
    [[], /a URL is missing/],
    [['ws://localhost', 'ws://localhost'], /one URL/],
    [['ws://localhost', '--tokn', 'x'], /--tokn is unknown/],
    [['ws://localhost', '--token-of.alice'], /a flag is unknown/],
    [['ws://localhost', '--only'], /--only takes a value/],
    [['ws://localhost', '--only', 'sent'], /no check is named 'sent'/],
    [['ws://localhost', '--token-by', 'token-of.alice'], /--token-by is pair/],
    [['ws://localhost', '--expect', 'calls'], /--expect knows auth, call/],
    [['ws://localhost', '--timeout', 'long'], /--timeout takes a number/],
    [['ws://localhost', '--timeout', '5'], /timeoutMs must be a number from 50/],
    [['ws://example.com/'], /not encrypted.*--allow-insecure/],
    [['token-of.alice'], /url is no URL/],
    [['ws://127.0.0.1:1/'], /nothing answers/],
    [['ws://localhost/?token=token-of.alice'], /member token may be a token.*TOKEN_A/],
    [['ws://localhost/?x=a.b.c'], /may be a token/],
  ] as const)('ends with 2 for %j', async (argv, says) => {
    const { code, out, err } = await run(argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(says)
  })

  it('ends with 2 without a token', async () => {
    expect(await run([server.url], {})).toMatchObject({
      code: 2,
      err: expect.stringContaining('AUTHED_SOCKET_TOKEN_A is missing'),
    })
  })

  it('is a program', async () => {
    const program = ['--import', 'tsx', 'src/conformance/bin.ts']
    const args = [server.url, '--only', 'ping', '--timeout', '60000']
    const child = spawn(process.execPath, [...program, ...args], {
      env: { ...process.env, ...ENV },
    })
    let out = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    const [code] = await once(child, 'close')
    expect(out).toContain(': conforms')
    expect(code).toBe(0)
  })
})
