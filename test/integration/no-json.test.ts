import { runInNewContext } from 'node:vm'
import { expect, it, vi } from 'vitest'
import { plain, viaFirstMessage } from '../../src/index.ts'
import { serveSockets } from '../support/socket-server.ts'
import { rejection, watched } from './bad-input-support.ts'

it('bytes of any realm arrive as bytes, and a Blob not at all', async () => {
  const wire: [isBinary: boolean, data: string][] = []
  const server = await serveSockets((socket) => {
    socket.on('message', (data, isBinary) => wire.push([isBinary, String(data)]))
  })
  const { socket, errors } = watched({ url: server.url })
  await socket.connect()
  const abc = new TextEncoder().encode('abc')
  const shared = new SharedArrayBuffer(3)
  new Uint8Array(shared).set(abc)
  await socket.send(runInNewContext('new Uint8Array([97, 98, 99]).buffer'))
  await socket.send(shared)
  const refused = socket.send({ files: [new Blob(['abc'])] })
  await expect(refused).rejects.toThrow('data.files[0] (Blob)')
  await expect(socket.send(new Blob(['abc']))).rejects.toThrow('await blob.arrayBuffer()')
  await socket.send(await new Blob(['abc']).arrayBuffer())
  await socket.send({ last: {} })
  await vi.waitFor(() => expect(wire).toHaveLength(4))
  expect(wire).toEqual([
    [true, 'abc'],
    [true, 'abc'],
    [true, 'abc'],
    [false, '{"last":{}}'],
  ])
  expect(errors.map((error) => error instanceof TypeError)).toEqual([true, true])
})

it('a first frame of bytes arrives as bytes', async () => {
  const first: [isBinary: boolean, data: string][] = []
  const server = await serveSockets((socket) => {
    socket.once('message', (data, isBinary) => {
      first.push([isBinary, String(data)])
      socket.send('welcome')
    })
  })
  const { socket } = watched({
    url: server.url,
    protocol: plain(),
    transmission: viaFirstMessage({
      frame: (token) => new TextEncoder().encode(`\u0001${token}`),
      accepted: (frame) => frame === 'welcome',
    }),
  })
  await socket.connect()
  expect(first).toEqual([[true, '\u0001token']])
})

it('a first frame that has no JSON is misuse, and is not dialed again', async () => {
  const server = await serveSockets(() => {})
  const { socket, states } = watched({
    url: server.url,
    transmission: viaFirstMessage({
      frame: (token) => ({ auth: new Map([['token', token]]) }),
      accepted: () => true,
    }),
  })
  const error = await rejection(socket.connect())
  expect(String(error)).toContain('viaFirstMessage: frame: there is no JSON for frame.auth (Map)')
  expect([server.requests.length, states.at(-1)]).toEqual([0, 'failed'])
})
