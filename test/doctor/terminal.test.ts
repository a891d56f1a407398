/** What a server says reaches the terminal as text: it moves no cursor, sets no title and begins no line. */
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { run } from '../../src/doctor/command.ts'

/** ESC, CSI of C1, DEL, NEL, a line of its own, and the end of a line as JavaScript has it. */
const HOSTILE = 'a\x1b[2Jb\x9b31mc\x7fd\x85e\nhealthy\rf\u2028g'
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/

const printed = async (url: string, ...flags: string[]): Promise<string> => {
  const said: string[] = []
  await run({
    argv: ['doctor', url, '--watch', '0.2', ...flags],
    env: { AUTHED_SOCKET_TOKEN: 'token-4711' },
    readStdin: async () => '',
    print: (text) => said.push(text),
    complain: (text) => said.push(text),
  })
  return said.join('\n')
}

const CLOSE_4003 = Buffer.concat([
  Buffer.from([0x88, 2 + Buffer.byteLength(HOSTILE), 0x0f, 0xa3]),
  Buffer.from(HOSTILE),
])
const OPENS = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'

/** What the server writes, once it knows the answer to the key. */
const SAYS: Readonly<Record<string, (accept: string) => readonly (string | Buffer)[]>> = {
  'the reason of a close': (accept) => [
    `${OPENS}Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    CLOSE_4003,
  ],
  'where it redirects to': () => [
    'HTTP/1.1 302 Found\r\nLocation: /ws/a\x9b31mb\x85c\r\nContent-Length: 0\r\n\r\n',
  ],
  'the status in its words': () => [
    'HTTP/1.1 502 Bad\x9b31m\x85Gateway\r\nServer: nginx\x9b31m\r\nContent-Length: 0\r\n\r\n',
  ],
}

const acceptOf = (request: string): string => {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1] ?? ''
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

it.each(Object.entries(SAYS))('%s', async (_, answer) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (request) => {
      for (const part of answer(acceptOf(String(request))))
        socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part)
      socket.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
  for (const flags of [[], ['--json']]) {
    const text = await printed(url, ...flags)
    expect(text).not.toMatch(CONTROL)
    expect(text.split('\n').slice(1)).not.toContain('healthy')
  }
})

it('what is looked for is there', () => expect(HOSTILE).toMatch(CONTROL))

it('the words of an error, too', async () => {
  expect(await printed('ws://127.0.0.1:1/\x1b[2J\x9b', '--nonsense\x1b')).not.toMatch(CONTROL)
  expect(await printed('nothing\x1b[2J\x9b')).not.toMatch(CONTROL)
})
