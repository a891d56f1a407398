/** `authed-socket doctor`, without a process of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../src/doctor/command.ts'
import type { Diagnosis } from '../../src/doctor/index.ts'
import { startServer, type TestServer } from '../support/servers.ts'

let server: TestServer
let token: string
beforeAll(async () => {
  server = await startServer('node')
  const { access } = await server.control<{ access: string }>('mint', {
    user: 'alice',
    kind: 'valid',
  })
  token = access
})
afterAll(() => server?.stop())

async function printed(argv: readonly string[], env: Record<string, string> = {}) {
  const lines: string[] = []
  const errors: string[] = []
  const status = await run({
    argv,
    env,
    readStdin: async () => `${token}\n`,
    print: (text) => lines.push(text),
    complain: (text) => errors.push(text),
  })
  return { status, out: lines.join('\n'), err: errors.join('\n') }
}

const doctor = (path: string, ...flags: string[]) =>
  printed(['doctor', server.wsUrl + path, '--watch', '0.5', ...flags], {
    AUTHED_SOCKET_TOKEN: token,
  })

describe('the command', () => {
  it('ends with 0 where all is well', async () => {
    const { status, out } = await doctor('/ws/plain')
    expect(status).toBe(0)
    expect(out).toContain('healthy\n')
    expect(out).toContain('as configured')
  })

  it('names the cause and the line to change, and ends with 1', async () => {
    const { status, out } = await doctor('/chat/{room}', '--room', 'lobby')
    expect(status).toBe(1)
    expect(out).toContain('wrong-path\n')
    expect(out).toContain('Change: `url: "…/ws/chat/lobby"`.')
  })

  it('prints JSON', async () => {
    const { out } = await doctor('/ws/rooms', '--protocol=multiplexed', '--json')
    expect((JSON.parse(out) as Diagnosis).cause).toBe('healthy')
  })

  it.each(['subprotocol', 'bearer', 'bearer:chat', 'query', 'query:token', 'header', 'cookie'])(
    'sends the token by %s',
    async (way) => {
      expect((await doctor('/ws/plain', '--transmission', way)).status).toBe(0)
    },
  )

  it('sends no token by none', async () => {
    const { out } = await doctor('/ws/plain', '--transmission', 'none', '--ways', 'none')
    expect(out).toContain('token-refused')
  })

  it('reads the token from stdin', async () => {
    const { status } = await printed([
      ...['doctor', `${server.wsUrl}/ws/plain`, '--token-stdin', '--watch', '0.5'],
    ])
    expect(status).toBe(0)
  })

  it('lets sockets hear each other', async () => {
    const { status, out } = await doctor('/ws/plain', '--say', '{"message":"{mark}"}')
    expect(out).toContain('8 sockets, in groups that hear each other: 1')
    expect(status).toBe(0)
  })

  it('stands in for a page', async () => {
    const { out } = await printed(
      ['doctor', 'ws://chat.example/ws', '--origin', 'https://app.example', '--allow-insecure'],
      { AUTHED_SOCKET_TOKEN: token },
    )
    expect(out).toContain('mixed-content')
  })

  it('prints how it is used', async () => {
    for (const argv of [['--help'], ['doctor', '--help']]) {
      const { status, out } = await printed(argv)
      expect(status).toBe(0)
      expect(out).toContain('AUTHED_SOCKET_TOKEN')
    }
  })

  it.each([
    [['nurse'], 'there is: doctor'],
    [['doctor'], 'give one url'],
    [['doctor', 'ws://a', 'ws://b'], 'give one url'],
    [['doctor', 'ws://127.0.0.1/ws'], 'there is no token'],
    [['doctor', 'ws://127.0.0.1/ws', '--room'], '--room is followed by NAME'],
    [['doctor', 'ws://127.0.0.1/ws', '--colour'], 'an option that there is not'],
    [['doctor', 'ws://127.0.0.1/ws', '--token', 'x'], 'no token in an argument'],
  ])('refuses %j', async (argv, message) => {
    const { status, err } = await printed(argv)
    expect(status).toBe(2)
    expect(err).toContain(message)
  })

  it.each([
    [['--transmission', 'pigeon'], '--transmission is'],
    [['--protocol', 'pigeon'], '--protocol is'],
    [['--watch', 'long'], '--watch is a number of seconds'],
    [['--say', '{"message":1}'], '--say holds {mark}'],
    [['--say', '{mark}'], '--say is JSON'],
    [['--ways', 'pigeon'], 'ways must be'],
    [['--origin', 'pigeon'], 'page must be an absolute URL'],
  ])('refuses %j', async (flags, message) => {
    const { status, err } = await doctor('/ws/plain', ...flags)
    expect(status).toBe(2)
    expect(err).toContain(message)
  })
})
