import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import type { Front } from '../../support/front.ts'
import { startFront } from '../../support/front.ts'
import { post, RawClient } from './raw-client.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }
let server: ReferenceServer
let front: Front
let token: string

beforeEach(async () => {
  server = await createReferenceServer()
  front = await startFront({ target: server.port })
  token = (await server.mint({ user: 'alice' })).access
})
afterEach(async () => {
  await front.close()
  await server.close()
})

const chat = (): RawClient =>
  new RawClient(`${front.wsUrl}/ws/chat/lobby?x=secret`, ['chat', 'token', token], {
    handshakeTimeout: 500,
  })

async function ping(client: RawClient, text: string): Promise<void> {
  client.send({ message: text })
  await client.take((frame) => frame['message'] === text && 'username' in frame)
}

describe('the front in pass mode', () => {
  it('passes bytes and counts dials without keeping a token', async () => {
    const client = await chat().open()
    await ping(client, 'x'.repeat(300_000))
    expect(front.counts).toMatchObject({ dials: 1, tokenRequests: 0 })
    expect(front.dials).toEqual([{ at: expect.any(Number), path: '/ws/chat/lobby', protocols: 3 }])
    client.socket.close(4001, 'bye')
    expect(await client.ended).toEqual({ code: 4001, reason: 'bye' })
  })

  it('counts token requests on one kept-alive connection, whatever the pieces', async () => {
    const raw = connect(front.port, '127.0.0.1')
    await once(raw, 'connect')
    const body = JSON.stringify(ALICE)
    const request = `POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    let answers = ''
    raw.on('data', (chunk: Buffer) => {
      answers += chunk.toString()
    })
    const two = request + request
    for (let at = 0; at < two.length; at += 37) {
      raw.write(two.slice(at, at + 37))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await expect.poll(() => answers.match(/HTTP\/1\.1 200/g)?.length).toBe(2)
    expect(front.counts).toMatchObject({ connections: 1, tokenRequests: 2, dials: 0 })
    raw.destroy()
  })

  it('hands on a chunked body and the head after it', async () => {
    const raw = connect(front.port, '127.0.0.1')
    raw.write('POST /api/token/refresh/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    raw.write('2\r\n{}\r\n0\r\n\r\n')
    await once(raw, 'data')
    raw.write('POST /login/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    await expect.poll(() => front.counts.tokenRequests).toBe(2)
    raw.destroy()
  })

  it('hands on refusals as they are', async () => {
    server.fault([{ kind: 'refuse', status: 403 }, { kind: 'drop-tcp' }])
    expect((await chat().ended).status).toBe(403)
    expect((await chat().ended).code).toBe(1006)
    expect(front.counts.dials).toBe(2)
    await front.reset()
    expect([front.counts.dials, front.dials.length]).toEqual([0, 0])
  })
})

describe('the other modes', () => {
  it('answers 502 to new requests, kept-alive connections too, and keeps sockets', async () => {
    const client = await chat().open()
    expect((await post(`${front.url}/api/token/`, ALICE)).status).toBe(200)
    await front.setMode('bad-gateway')
    expect((await post(`${front.url}/api/token/`, ALICE)).status).toBe(502)
    expect((await chat().ended).status).toBe(502)
    expect(server.counts()).toMatchObject({ dials: 1, tokenRequests: 1 })
    expect(front.counts).toMatchObject({ dials: 2, tokenRequests: 2 })
    await ping(client, 'still here')
    await front.setMode('pass')
    await chat().open()
  })

  it('is absent and comes back on the same port', async () => {
    const client = await chat().open()
    await front.setMode('absent')
    expect((await client.ended).code).toBe(1006)
    const refused = new RawClient(`${front.wsUrl}/ws/plain`)
    refused.socket.on('error', (error) => expect(error.message).toContain('ECONNREFUSED'))
    await refused.ended
    await front.setMode('absent')
    await front.setMode('pass')
    await ping(await chat().open(), 'back')
  })

  it('resets', async () => {
    await front.setMode('reset')
    const client = chat()
    client.socket.on('error', (error) => expect(error.message).toMatch(/ECONNRESET|hang up/))
    expect((await client.ended).code).toBe(1006)
    expect(front.counts.dials).toBe(1)
  })

  it('swallows new connections and freezes open ones until it lets go', async () => {
    const client = await chat().open()
    await front.setMode('black-hole')
    const swallowed = chat()
    expect([(await swallowed.ended).code, swallowed.opened]).toEqual([1006, false])
    client.send({ message: 'into the dark' })
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(server.received()).toEqual([])
    expect(client.socket.readyState).toBe(client.socket.OPEN)
    await front.setMode('pass')
    await client.take((frame) => frame['message'] === 'into the dark')
    expect(front.counts.dials).toBe(2)
  })

  it('drops what is open and passes what comes next', async () => {
    const client = await chat().open()
    await front.setMode('drop')
    expect((await client.ended).code).toBe(1006)
    expect(front.mode).toBe('pass')
    await ping(await chat().open(), 'next')
  })
})
