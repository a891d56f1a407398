/** The small parts of the doctor: answers, failures, frames, paths, tokens. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswer } from '../../../src/doctor/answer.ts'
import { crowdOf } from '../../../src/doctor/crowd.ts'
import { failureOf } from '../../../src/doctor/failure.ts'
import { CLOSE, closeCodeOf, FrameReader, frameOf, TEXT } from '../../../src/doctor/frames.ts'
import { nearPaths, otherSlash } from '../../../src/doctor/near-paths.ts'
import { scrubber } from '../../../src/doctor/secrets.ts'
import { unwrapToken } from '../../../src/doctor/token-facts.ts'
import { wayNames, wayOf } from '../../../src/doctor/ways.ts'
import { NOW } from './facts.ts'

const read = (
  status: number,
  headers: Record<string, string> = {},
  body = '',
  { reason = 'Reason', url = 'ws://chat.example/ws' } = {},
) => readAnswer({ status, reason, headers, body, url: new URL(url), at: NOW })

describe('an HTTP answer', () => {
  it.each([
    ['daphne', 'Access denied', {}],
    ['uvicorn, wsproto', '', { 'content-length': '0' }],
    ['uvicorn, websockets', 'Forbidden', { 'content-length': '0', 'content-type': 'text/plain' }],
  ])('is a close before the accept (%s)', (_server, reason, headers) => {
    expect(read(403, headers, '', { reason }).mark).toBe('asgi-closed')
    expect(read(403, headers, 'Forbidden', { reason }).mark).toBeUndefined()
  })

  it.each([
    ['FastAPI', { 'content-type': 'application/json' }, '{"detail":"Not Found"}'],
    ['Django', {}, '<h1>Not Found</h1><p>The requested resource was not found on this server.</p>'],
    ['Express', {}, '<pre>Cannot GET /ws</pre>'],
    ['uvicorn', { server: 'uvicorn' }, 'Not Found'],
  ])('is the page of a framework for a GET (%s)', (_name, headers, body) => {
    expect(read(404, headers, body).mark).toBe('page')
  })

  it.each([
    [301, 'ws://chat.example/ws', 'http://chat.example/ws/', 'other-slash'],
    [301, 'ws://chat.example/ws/', '/ws', 'other-slash'],
    [301, 'ws://chat.example/ws', 'https://chat.example/ws', 'to-tls'],
    [302, 'ws://chat.example/ws', '/login?next=/ws', 'same-host'],
    [302, 'wss://chat.example/ws', 'https://login.example/', 'other-host'],
    [302, 'ws://chat.example/ws', 'http://[', 'same-host'],
  ])('leads somewhere (%i, %s, %s)', (status, url, location, leads) => {
    expect(read(status, { location }, '', { url }).leads).toBe(leads)
  })

  it('tells the difference of the clocks', () => {
    const date = new Date(NOW - 60_000).toUTCString()
    expect(read(200, { date }).skewMs).toBeCloseTo(60_000, -4)
    expect(read(200, { date: 'yesterday' }).skewMs).toBeUndefined()
  })

  it('keeps the name of a server only where it is a known one', () => {
    expect(read(200, { server: 'nginx/1.25' }).server).toBe('nginx')
    expect(read(200, { server: 'secret-of-mine' })).not.toHaveProperty('server')
  })

  it('keeps no text that came from outside', () => {
    const text = 'a text from outside'
    const headers = { server: text, location: `/${text}`, 'www-authenticate': text, date: text }
    const answer = readAnswer({
      status: 302,
      reason: text,
      headers,
      body: text,
      url: new URL('ws://chat.example/'),
      at: NOW,
    })
    expect(JSON.stringify(answer)).not.toContain('outside')
  })

  it('asks for a password', () => {
    expect(read(401, { 'www-authenticate': 'Basic realm="x"' }).asks).toBe('basic')
    expect(read(401, { 'www-authenticate': 'Bearer' }).asks).toBe('other')
  })

  it('wants another version, or another upgrade', () => {
    expect(read(426, { 'sec-websocket-version': '8' }).wantsOther).toBe(true)
    expect(read(426, { 'sec-websocket-version': '13, 8' }).wantsOther).toBeUndefined()
    expect(read(426, { upgrade: 'h2c' }).wantsOther).toBe(true)
    expect(read(426, { upgrade: 'websocket' }).wantsOther).toBeUndefined()
  })
})

describe('an error of Node', () => {
  it.each([
    ['ENOTFOUND', 'lookup', 'not-found'],
    ['ECONNREFUSED', 'connect', 'refused'],
    ['ECONNRESET', 'answer', 'dropped'],
    ['ECONNRESET', 'tls', 'tls'],
    ['ETIMEDOUT', 'tls', 'timeout'],
    ['CERT_HAS_EXPIRED', 'tls', 'certificate'],
    ['HPE_INVALID_CONSTANT', 'answer', 'not-http'],
    ['E_SOMETHING', 'connect', 'other'],
  ] as const)('%s while %s: %s', (code, at, why) => {
    expect(failureOf(Object.assign(new Error('the message'), { code }), at, 5)).toEqual({
      kind: 'failed',
      ...{ at, why, code, afterMs: 5 },
    })
  })
})

describe('frames', () => {
  const unmasked = (opcode: number, payload: Uint8Array): Uint8Array => {
    const masked = frameOf(opcode, payload, Uint8Array.of(0, 0, 0, 0))
    // A mask of zeros changes nothing: without its four bytes, and its bit, it is what a server sends.
    const at = masked.length - payload.length
    const bytes = Uint8Array.of(...masked.slice(0, at - 4), ...masked.slice(at))
    bytes[1] = (bytes[1] ?? 0) & 0x7f
    return bytes
  }

  it('are read however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300, size: 'max' }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 400 }),
        (payloads, size) => {
          const bytes = payloads.flatMap((payload) => [...unmasked(TEXT, payload)])
          const reader = new FrameReader()
          const frames = []
          for (let at = 0; at < bytes.length; at += size)
            frames.push(...reader.push(Uint8Array.from(bytes.slice(at, at + size))))
          expect(frames.map(({ payload }) => [...payload])).toEqual(payloads.map((p) => [...p]))
        },
      ),
    )
  })

  it('of 64 KiB are read and written', () => {
    const payload = new Uint8Array(70_000).fill(7)
    const [frame] = new FrameReader().push(unmasked(TEXT, payload))
    expect(frame?.payload.length).toBe(70_000)
  })

  it('say why they close, or 1005', () => {
    const [frame] = new FrameReader().push(unmasked(CLOSE, Uint8Array.of(15, 163)))
    expect(frame && closeCodeOf(frame)).toBe(4003)
    const [bare] = new FrameReader().push(unmasked(CLOSE, new Uint8Array()))
    expect(bare && closeCodeOf(bare)).toBe(1005)
  })
})

describe('paths', () => {
  it.each([
    ['/ws/chat/', '/ws/chat'],
    ['/ws', '/ws/'],
    ['/', '/'],
  ])('%s with the other slash is %s', (path, other) => {
    expect(otherSlash(path)).toBe(other)
  })

  it('near ones have a prefix more or less', () => {
    expect(nearPaths('/ws/chat/a/')).toEqual(['/chat/a/', '/chat/a', '/api/ws/chat/a/'])
    expect(nearPaths('/chat')).toEqual(['/ws/chat', '/ws/chat/', '/api/chat'])
    expect(nearPaths('/api/ws')).toEqual(['/ws/api/ws', '/ws/api/ws/', '/ws'])
  })
})

describe('a token', () => {
  it.each([
    ['abc.def', 'abc.def'],
    ['Bearer abc', 'abc'],
    ['  jwt abc\n', 'abc'],
    ['"abc"', 'abc'],
    ["'Bearer abc'", 'abc'],
    ['two words', 'two words'],
    ['"', '"'],
  ])('%j is %j without what is around it', (token, bare) => {
    expect(unwrapToken(token)).toBe(bare)
  })
})

describe('a text with a part of a secret', () => {
  const secret = 'a-secret-of-some-length/and=more'
  const scrub = scrubber([secret, 'short'])
  it.each([secret, `see ${secret.slice(3, 16)}!`, encodeURIComponent(secret)])(
    'is replaced: %s',
    (text) => {
      expect(scrub(text)).not.toContain(text.slice(4, 14))
    },
  )
  it('is left alone where it holds none, or a word', () => {
    expect(scrub('a secret, in short')).toBe('a secret, in short')
  })
})

describe('who hears whom', () => {
  const t = true
  const f = false
  it.each([
    [
      'all each other',
      [
        [t, t, t],
        [t, t, t],
        [t, t, t],
      ],
      1,
    ],
    [
      'all each other, and nobody itself',
      [
        [f, t, t],
        [t, f, t],
        [t, t, f],
      ],
      1,
    ],
    [
      'two groups',
      [
        [t, t, f],
        [t, t, f],
        [f, f, t],
      ],
      2,
    ],
    [
      'nobody',
      [
        [t, f],
        [f, t],
      ],
      2,
    ],
    [
      'one the other, and not back',
      [
        [t, t],
        [f, t],
      ],
      undefined,
    ],
  ] as const)('%s', (_title, heard, groups) => {
    expect(crowdOf(heard).groups).toBe(groups)
  })
})

describe('the places for a token', () => {
  it('are all known by their names, and those of a browser need no header', () => {
    const all = wayNames(['subprotocol', 'header', 'cookie', 'query'], 'node')
    expect(all.filter((name) => wayOf(name) === undefined)).toEqual([])
    const page = wayNames(['subprotocol', 'header', 'cookie', 'query'], 'browser')
    expect(page.filter((name) => name.startsWith('header') || name.startsWith('cookie'))).toEqual(
      [],
    )
    expect(wayNames([], 'node')).toEqual([])
  })
})
