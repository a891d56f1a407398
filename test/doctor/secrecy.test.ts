/** No part of a token stands in a diagnosis, nor in what the command prints, whatever the server repeats. */
import type { IncomingMessage } from 'node:http'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../src/doctor/command.ts'
import { type DiagnoseOptions, diagnose } from '../../src/doctor/index.ts'
import {
  plain,
  type Transmission,
  viaCookie,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../src/index.ts'
import { findLeaks, type Sighting, stringsIn } from '../contract/canary.ts'
import { accept, refuse, sockets, tokenOf, web } from './corpus/handmade.ts'
import { mint } from './corpus/jwt.ts'
import type { Running } from './corpus/python.ts'

const canary = (): string => mint({ sub: 'canary', jti: crypto.randomUUID() })

const ways: Readonly<Record<string, Transmission>> = {
  query: viaQuery({ acceptLogging: true }),
  pair: viaSubprotocol(),
  bearer: viaSubprotocol('bearer'),
  header: viaHeader(),
  cookie: viaCookie(),
}

type Upgrade = NonNullable<Parameters<typeof web>[0]['upgrade']>

/** Everything of the request in every text of the answer. */
const parrot = (status: number): Upgrade =>
  refuse((request) => {
    const all = `${request.url} ${JSON.stringify(request.rawHeaders)}`.replaceAll('"', '')
    const headers = {
      Server: `nginx ${all}`,
      Location: `https://elsewhere.example${request.url}`,
      'WWW-Authenticate': `Bearer ${all}`,
      'Content-Type': 'text/html',
    }
    return { status, headers, body: `<title>${all}</title> line too long: ${all}` }
  })

const servers: Readonly<Record<string, Upgrade>> = {
  'refuses with 403 and repeats everything': parrot(403),
  'redirects and repeats everything': parrot(302),
  'fails with 500 and repeats everything': parrot(500),
  'echoes the last subprotocol, and says the token': sockets(
    (request, socket) => {
      socket.send(`${request.url} ${request.rawHeaders.join(' ')}`)
      socket.close(4003, (tokenOf(request) ?? '').slice(0, 100))
    },
    { handleProtocols: (offered) => [...offered].at(-1) ?? false },
  ),
  'answers with a subprotocol made of the token': (request, socket) =>
    accept(request, socket, {
      headers: { 'Sec-WebSocket-Protocol': `${request.headers['sec-websocket-protocol'] ?? 'x'}y` },
    }),
  'says something else than HTTP, with the token in it': (request, socket) => {
    socket.end(`${request.url} ${request.rawHeaders.join(' ')}\r\n\r\n`)
  },
}

const started: Running[] = []
const urls: Record<string, string> = {}
beforeAll(async () => {
  for (const [name, upgrade] of Object.entries(servers)) {
    const page = ({ url }: IncomingMessage) => ({ status: 404, body: `Cannot GET ${url}` })
    const server = await web({ upgrade, page })
    started.push(server)
    urls[name] = `ws://127.0.0.1:${server.port}/ws`
  }
})
afterAll(() => Promise.all(started.map((server) => server.close())))

const cells = Object.keys(servers).flatMap((server) =>
  Object.keys(ways).map((way) => [server, way] as const),
)

/** What a diagnosis shows, however it is printed. */
const seenIn = (value: unknown): Sighting[] => [
  { where: 'RegExp.$_', text: String(Reflect.get(RegExp, '$_')) },
  { where: 'inspect', text: inspect(value, { depth: null, showHidden: true }) },
  { where: 'JSON', text: JSON.stringify(value) ?? '' },
  ...stringsIn(value, 'diagnosis'),
]

describe('a diagnosis holds no part of the token', () => {
  it.each(cells)('where the server %s (by %s)', async (server, way) => {
    const token = canary()
    const options: DiagnoseOptions = {
      url: urls[server] ?? '',
      auth: () => token,
      protocol: plain(),
      watchMs: 200,
      timeoutMs: 1_000,
      ...(ways[way] && { transmission: ways[way] }),
    }
    const diagnosis = await diagnose(options)
    expect(diagnosis.evidence.length).toBeGreaterThan(0)
    expect(findLeaks([token], seenIn(diagnosis))).toEqual([])
  })

  it('where the token cannot travel, and where its source throws it', async () => {
    const token = `${canary()}==`
    const common = { url: 'ws://127.0.0.1:9/ws', protocol: plain() }
    const stuck = await diagnose({ ...common, auth: () => token, transmission: viaSubprotocol() })
    const thrown = await diagnose({
      ...common,
      auth: () => {
        throw new Error(token)
      },
      transmission: viaSubprotocol(),
    })
    expect([stuck.cause, thrown.cause]).toEqual(['token-cannot-travel', 'no-token'])
    expect(findLeaks([token], seenIn([stuck, thrown]))).toEqual([])
  })

  it('where the transmission puts it into the path', async () => {
    const token = canary()
    const transmission: Transmission = {
      name: 'path',
      runtimes: 'any',
      carry: (handshake, value) => ({ ...handshake, url: new URL(`/ws/${value}/`, handshake.url) }),
    }
    const url = urls['refuses with 403 and repeats everything'] ?? ''
    const diagnosis = await diagnose({ url, auth: () => token, protocol: plain(), transmission })
    expect(findLeaks([token], seenIn(diagnosis))).toEqual([])
  })
})

describe('the command prints no part of the token', () => {
  const printed = async (argv: readonly string[], token: string, stdin = '') => {
    let text = ''
    const print = (more: string) => {
      text += more
    }
    const status = await run({
      argv: ['doctor', ...argv, '--watch', '0.2', '--timeout', '1'],
      env: stdin === '' ? { AUTHED_SOCKET_TOKEN: token } : {},
      readStdin: async () => stdin,
      print,
      complain: print,
    })
    return { status, text }
  }

  it.each(cells)('where the server %s (by %s)', async (server, way) => {
    const token = canary()
    const transmission = way === 'pair' ? 'subprotocol' : way
    const argv = [urls[server] ?? '', '--transmission', transmission]
    for (const more of [[], ['--json']]) {
      const { status, text } = await printed([...argv, ...more], token)
      expect(status).toBe(1)
      expect(findLeaks([token], [{ where: 'output', text }])).toEqual([])
    }
  })

  it('not even where it was given in an argument', async () => {
    const token = canary()
    const url = 'ws://127.0.0.1:9/ws'
    for (const argv of [
      [url, '--token', token],
      [url, `--token=${token}`],
      [url, `--${token}`],
      [url, token],
      [`${url}?token=${token}`],
      [url, '--protocol', token],
      [url, '--transmission', token],
      [url, '--ways', token],
      [url, '--origin', token],
      [token],
    ]) {
      const { text } = await printed(argv, token)
      expect(findLeaks([token], [{ where: argv.join(' '), text }])).toEqual([])
    }
  })

  it('takes it from stdin without its line break', async () => {
    const token = canary()
    let seen: string | undefined
    const server = await web({
      upgrade: (request, socket) => {
        seen = tokenOf(request) ?? seen
        refuse(() => ({ status: 403 }))(request, socket)
      },
    })
    const argv = [`ws://127.0.0.1:${server.port}/ws`, '--transmission', 'query', '--token-stdin']
    await printed([...argv, '--ways', 'none'], token, `${token}\n`)
    await server.close()
    expect(seen).toBe(token)
  })
})

describe('the token goes to the host of the url, and nowhere else', () => {
  it('also where everything is redirected', async () => {
    const token = canary()
    const received: string[] = []
    const listen = (request: IncomingMessage): void => {
      received.push(`${request.url} ${request.rawHeaders.join(' ')}`)
    }
    const other = await web({
      page: (request) => {
        listen(request)
        return { status: 200 }
      },
      upgrade: (request, socket) => {
        listen(request)
        socket.destroy()
      },
    })
    const Location = `http://127.0.0.1:${other.port}/ws`
    const answer = { status: 307, headers: { Location } }
    const first = await web({ page: () => answer, upgrade: refuse(() => answer) })
    const url = `ws://127.0.0.1:${first.port}/ws`
    for (const transmission of Object.values(ways))
      await diagnose({ url, auth: () => token, protocol: plain(), transmission, watchMs: 200 })
    await Promise.all([first.close(), other.close()])
    expect(received).toEqual([])
  })

  it('and to no ordinary request of it', async () => {
    const token = canary()
    const received: Sighting[] = []
    const server = await web({
      page: ({ url, rawHeaders }) => {
        received.push({ where: 'request', text: `${url} ${rawHeaders.join(' ')}` })
        return { status: 404 }
      },
      upgrade: refuse(() => ({ status: 404 })),
    })
    const url = `ws://127.0.0.1:${server.port}/ws`
    for (const transmission of Object.values(ways))
      await diagnose({ url, auth: () => token, protocol: plain(), transmission, watchMs: 200 })
    await server.close()
    expect(received.length).toBeGreaterThan(0)
    expect(findLeaks([token], received)).toEqual([])
  })
})
