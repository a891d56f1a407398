#!/usr/bin/env node
/**
 * What clients see of the Python servers, as a markdown report on stdout.
 *
 *     node test/servers/measure.mjs [--slow] [server ...]
 *
 * `--slow` adds what takes minutes: keepalive pings and the handshake timeout.
 * Servers are named `fastapi:wsproto`, `channels:daphne`, ...; all of them when none is named.
 *
 * Statuses, bytes and frames are read from the bare TCP socket, so that no client's opinion is in them;
 * what `ws` and undici make of those is measured beside it.
 */

import { execFile, spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { WebSocket as UndiciSocket } from 'undici'
import { WebSocket as WsSocket } from 'ws'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const ALL = [
  'channels:daphne',
  'channels:uvicorn-websockets',
  'channels:uvicorn-wsproto',
  'channels:uvicorn-websockets-sansio',
  'fastapi:websockets',
  'fastapi:wsproto',
  'fastapi:websockets-sansio',
]
const CLIENTS = { ws: WsSocket, undici: UndiciSocket }

// --- servers -------------------------------------------------------------------------------------

/**
 * @typedef {object} Server
 * @property {string} name
 * @property {boolean} isChannels
 * @property {number} port
 * @property {string} key signs tokens
 * @property {() => string} log
 * @property {(path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>} post
 * @property {(user: string, kind?: string) => Promise<{ access: string, refresh: string }>} mint
 * @property {(signal?: NodeJS.Signals) => Promise<string>} stop
 */

/** @param {string} name @param {string[]} options @returns {Promise<Server>} */
async function start(name, options = []) {
  const [kind = '', implementation = ''] = name.split(':')
  const isChannels = kind === 'channels'
  const data = await mkdtemp(join(tmpdir(), 'measure-'))
  const script = join(here, kind, 'run.py')
  const flag = isChannels ? '--server' : '--ws'
  const command = [script, flag, implementation, '--data', data, ...options]
  const child = spawn(await ensurePythonEnv(), command, { stdio: ['pipe', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const port = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (line) => resolve(JSON.parse(line).listening))
    child.once('exit', () => reject(new Error(`${name} did not start: ${log}`)))
  })
  /** @type {Server['post']} */
  const post = (path, body, headers = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers:
        body instanceof URLSearchParams
          ? headers
          : { 'content-type': 'application/json', ...headers },
      body:
        body instanceof URLSearchParams || typeof body === 'string' ? body : JSON.stringify(body),
    })
  return {
    name,
    isChannels,
    port,
    key: await readFile(join(data, 'signing.key'), 'utf8'),
    log: () => log,
    post,
    mint: async (user, kind = 'valid') => (await post('/_control/mint', { user, kind })).json(),
    stop: async (signal = 'SIGTERM') => {
      const began = Date.now()
      child.kill(signal)
      await exited
      await rm(data, { recursive: true, force: true })
      return `${Date.now() - began} ms`
    },
  }
}

/** @param {Server} server @param {string} [room] @param {string} [query] */
function chatPath(server, room = 'lobby', query = '') {
  return `/ws/chat/${room}${server.isChannels ? '/' : ''}${query}`
}

/** @param {string} key @param {Record<string, unknown>} claims */
function sign(key, claims) {
  const part = (/** @type {unknown} */ value) =>
    Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

// --- a client that has no opinion ----------------------------------------------------------------

/**
 * Upgrades and records everything until the peer closes.
 *
 * @param {Server} server
 * @param {string} path
 * @param {{ headers?: string[], upgrade?: boolean, answers?: boolean }} [options]
 */
function raw(server, path, { headers = [], upgrade = true, answers = true } = {}) {
  const socket = connect(server.port, '127.0.0.1')
  const began = Date.now()
  let buffer = Buffer.alloc(0)
  let head = ''
  /** @type {string[]} */
  const events = []
  /** @type {(text: string) => void} */
  let answered = () => {}
  const response = new Promise((resolve) => {
    answered = resolve
  })
  const record = (/** @type {string} */ text) => events.push(`${text} @${Date.now() - began}`)
  /** @type {(value: undefined) => void} */
  let finish = () => {}
  const ended = new Promise((resolve) => {
    finish = resolve
  })
  const lines = upgrade
    ? [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ]
    : []
  socket.write(
    [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`, ...lines, ...headers, '', ''].join(
      '\r\n',
    ),
    'latin1',
  )
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk])
    if (!head) {
      const end = buffer.indexOf('\r\n\r\n')
      if (end < 0) return
      head = buffer.subarray(0, end).toString('latin1')
      if (!head.startsWith('HTTP/1.1 101')) {
        setTimeout(() => answered(buffer.toString('latin1')), 50)
        return
      }
      buffer = buffer.subarray(end + 4)
      answered(head)
    }
    if (head.startsWith('HTTP/1.1 101')) readFrames()
  })
  socket.on('end', () => record('FIN'))
  socket.on('error', (/** @type {NodeJS.ErrnoException} */ error) => record(error.code ?? 'error'))
  socket.on('close', () => {
    answered(buffer.toString('latin1') || events.join(' '))
    finish(undefined)
  })

  function readFrames() {
    for (;;) {
      if (buffer.length < 2) return
      const opcode = /** @type {number} */ (buffer[0]) & 15
      let size = /** @type {number} */ (buffer[1]) & 127
      let offset = 2
      if (size === 126) {
        if (buffer.length < 4) return
        size = buffer.readUInt16BE(2)
        offset = 4
      } else if (size === 127) {
        if (buffer.length < 10) return
        size = Number(buffer.readBigUInt64BE(2))
        offset = 10
      }
      if (buffer.length < offset + size) return
      const payload = buffer.subarray(offset, offset + size)
      buffer = buffer.subarray(offset + size)
      if (opcode === 1) record(size > 200 ? `TEXT(${size} bytes)` : `TEXT ${payload}`)
      else if (opcode === 2) record(`BINARY(${size} bytes)`)
      else if (opcode === 8) {
        const reason = JSON.stringify(payload.subarray(2).toString())
        record(`CLOSE ${size ? payload.readUInt16BE(0) : 1005} ${reason}`)
        if (answers) frame(8, payload)
      } else if (opcode === 9) {
        record(`PING(${size} bytes)`)
        if (answers) frame(10, payload)
      } else if (opcode === 10) record('PONG')
    }
  }

  /** @param {number} opcode @param {Buffer | string} content */
  function frame(opcode, content) {
    const payload = Buffer.from(content)
    const mask = randomBytes(4)
    let header = Buffer.from([0x80 | opcode, 0x80 | payload.length])
    if (payload.length > 65_535) {
      header = Buffer.alloc(10)
      header.set([0x80 | opcode, 0x80 | 127])
      header.writeBigUInt64BE(BigInt(payload.length), 2)
    } else if (payload.length > 125) {
      header = Buffer.alloc(4)
      header.set([0x80 | opcode, 0x80 | 126])
      header.writeUInt16BE(payload.length, 2)
    }
    const masked = Buffer.from(
      payload.map((byte, index) => byte ^ /** @type {number} */ (mask[index & 3])),
    )
    socket.write(Buffer.concat([header, mask, masked]))
  }

  return { response, ended, events, frame, destroy: () => socket.destroy(), socket }
}

/** @param {Server} server @param {string} path @param {Parameters<typeof raw>[2]} [options] */
async function status(server, path, options) {
  const connection = raw(server, path, options)
  const answer = await Promise.race([connection.response, sleep(8000, 'nothing in 8 s')])
  connection.destroy()
  return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? answer
}

/**
 * What a user's code sees.
 *
 * @param {keyof typeof CLIENTS} client
 * @param {string} url
 * @param {{ protocols?: string[], onOpen?: (socket: any) => void, ms?: number }} [options]
 */
function visit(client, url, { protocols = [], onOpen = () => {}, ms = 3000 } = {}) {
  return new Promise((resolve) => {
    const seen = {
      open: false,
      messages: 0,
      error: '',
      code: 0,
      reason: '',
      clean: false,
      protocol: '',
    }
    const timer = setTimeout(() => resolve(seen), ms)
    const socket = /** @type {any} */ (new CLIENTS[client](url, protocols))
    socket.addEventListener('open', () => {
      seen.open = true
      seen.protocol = socket.protocol
      onOpen(socket)
    })
    socket.addEventListener('message', () => {
      seen.messages += 1
    })
    socket.addEventListener('error', (/** @type {{ message?: string }} */ event) => {
      seen.error = event.message || '(no message)'
    })
    socket.addEventListener('close', (/** @type {any} */ event) => {
      clearTimeout(timer)
      resolve({ ...seen, code: event.code, reason: event.reason, clean: event.wasClean })
    })
  })
}

/** @param {any} seen */
function describe(seen) {
  const parts = [seen.open ? 'open' : 'never open']
  if (seen.messages) parts.push(`${seen.messages} message`)
  if (seen.error) parts.push(`error "${seen.error}"`)
  parts.push(
    seen.code
      ? `close ${seen.code} "${seen.reason}" ${seen.clean ? 'clean' : 'unclean'}`
      : 'no close',
  )
  return parts.join(', ')
}

// --- the measurements: each gives rows of [what, result] for one server --------------------------

/** @typedef {Record<string, string>} Rows */

/** @param {Server} server @returns {Promise<Rows>} */
async function upgradeStatus(server) {
  const { access: valid, refresh } = await server.mint('alice')
  const { access: expired } = await server.mint('alice', 'expired')
  const { access: deleted } = await server.mint('bob')
  await server.post('/_control/delete-user', { user: 'bob' })
  const encoded = [...Buffer.from(valid)].map((byte) => `%${byte.toString(16)}`).join('')
  const to = (/** @type {string} */ query, room = 'lobby') => chatPath(server, room, query)
  const other = server.isChannels ? '' : '/'
  /** @type {Record<string, [string, string[]?]>} */
  const rows = {
    'no token': [to('')],
    'empty `?token=`': [to('?token=')],
    garbage: [to('?token=garbage')],
    expired: [to(`?token=${expired}`)],
    valid: [to(`?token=${valid}`)],
    'valid with `==` appended': [to(`?token=${valid}==`)],
    'valid, `.` percent-encoded': [to(`?token=${valid.replaceAll('.', '%2E')}`)],
    'valid, all percent-encoded': [to(`?token=${encoded}`)],
    'valid and `&next=a=b`': [to(`?token=${valid}&next=a=b`)],
    'valid and `&v=1`': [to(`?token=${valid}&v=1`)],
    '`token=garbage&token=valid`': [to(`?token=garbage&token=${valid}`)],
    '`token=valid&token=garbage`': [to(`?token=${valid}&token=garbage`)],
    '`Bearer%20` before it': [to(`?token=Bearer%20${valid}`)],
    'the key is `Token=`': [to(`?Token=${valid}`)],
    'subprotocol `token, <jwt>`': [to(''), [`Sec-WebSocket-Protocol: token, ${valid}`]],
    'subprotocol `chat` and valid query': [to(`?token=${valid}`), ['Sec-WebSocket-Protocol: chat']],
    'header `Authorization: Bearer`': [to(''), [`Authorization: Bearer ${valid}`]],
    'cookie `access_token`': [to(''), [`Cookie: access_token=${valid}`]],
    'foreign Origin': [to(`?token=${valid}`), ['Origin: https://evil.example']],
    'deleted user': [to(`?token=${deleted}`)],
    'refresh token as access token': [to(`?token=${refresh}`)],
    'room that the user may not enter': [to(`?token=${valid}`, 'forbidden')],
    'trailing slash the other way round': [`/ws/chat/lobby${other}?token=${valid}`],
    'unknown path': [`/nowhere?token=${valid}`],
    'room `r%C3%A4um`': [to(`?token=${valid}`, 'r%C3%A4um')],
    'room of 101 characters': [to(`?token=${valid}`, 'x'.repeat(101))],
  }
  if (!server.isChannels) {
    const soon = Math.floor(Date.now() / 1000) + 60
    rows['unknown `sub`'] = [to(`?token=${sign(server.key, { sub: 'nobody', exp: soon })}`)]
    rows['no `sub`'] = [to(`?token=${sign(server.key, { exp: soon })}`)]
    rows['no `exp`'] = [to(`?token=${sign(server.key, { sub: 'alice' })}`)]
  }
  /** @type {Rows} */
  const results = {}
  for (const [what, [path, headers]] of Object.entries(rows)) {
    results[what] = await status(server, path, { headers: headers ?? [] })
  }
  results['plain GET, no upgrade'] = await status(server, to(`?token=${valid}`), { upgrade: false })
  await server.post('/_control/reset', {})
  return results
}

/** @param {Server} server @returns {Promise<Rows>} */
async function refusals(server) {
  /** @type {Rows} */
  const rows = {}
  for (const move of [
    'close-before-accept',
    'raise-before-accept',
    'return-without-accept',
    'answer-http?status=401',
  ]) {
    const began = Date.now()
    const connection = raw(server, `/_probe/${move}`)
    const answer = await Promise.race([connection.response, sleep(8000, 'nothing in 8 s')])
    const took = Date.now() - began
    connection.destroy()
    const bytes = JSON.stringify(answer.replace(/(date|sec-websocket-accept): [^\r]+/gi, '$1: …'))
    rows[move] = `\`${bytes}\`${took > 200 ? ` after ${(took / 1000).toFixed(1)} s` : ''}`
    for (const client of /** @type {const} */ (['ws', 'undici'])) {
      rows[`${move}, ${client}`] = describe(
        await visit(client, `ws://127.0.0.1:${server.port}/_probe/${move}`),
      )
    }
  }
  return rows
}

/** @param {Server} server @returns {Promise<Rows>} */
async function closesAfterAccept(server) {
  /** @type {Rows} */
  const rows = {}
  const moves = [4003, 1008, 1000, 1011, 1012, 3000].map(
    (code) => `accept-then-close?code=${code}&reason=why`,
  )
  for (const move of [...moves, 'raise-after-accept', 'return-after-accept']) {
    const connection = raw(server, `/_probe/${move}`)
    await Promise.race([connection.ended, sleep(2500)])
    rows[move] = connection.events.join(', ') || 'nothing in 2.5 s'
    connection.destroy()
  }
  for (const client of /** @type {const} */ (['ws', 'undici'])) {
    /** @type {Record<string, number>} */
    const tally = {}
    for (let run = 0; run < 20; run += 1) {
      const path = '/_probe/accept-then-close?code=4003&reason=why&message=refused'
      const seen = describe(await visit(client, `ws://127.0.0.1:${server.port}${path}`))
      tally[seen] = (tally[seen] ?? 0) + 1
    }
    rows[`accept, message, close 4003: 20 runs, ${client}`] = Object.entries(tally)
      .map(([seen, count]) => `${count} × ${seen}`)
      .join('; ')
  }
  return rows
}

/** @param {Server} server @returns {Promise<Rows>} */
async function closesByClient(server) {
  /** @type {Rows} */
  const rows = {}
  for (const client of /** @type {const} */ (['ws', 'undici'])) {
    for (const call of [[], [4001, 'bye']]) {
      const seen = await visit(client, `ws://127.0.0.1:${server.port}/_probe/echo`, {
        onOpen: (socket) => socket.close(...call),
      })
      rows[`close(${call}), ${client}`] = describe(seen)
    }
  }
  return rows
}

/** @param {Server} server @returns {Promise<Rows>} */
async function subprotocols(server) {
  const { access } = await server.mint('alice')
  const origin = `ws://127.0.0.1:${server.port}`
  /** @type {Record<string, [string, string[]]>} */
  const cases = {
    'offered, none echoed': [chatPath(server, 'lobby', `?token=${access}`), ['chat']],
    'first echoed': ['/_probe/echo?subprotocol=a', ['a', 'b']],
    'one echoed that was not offered': ['/_probe/echo?subprotocol=c', ['a', 'b']],
    'none offered, one sent': ['/_probe/echo?subprotocol=c', []],
  }
  /** @type {Rows} */
  const rows = {}
  for (const [what, [path, protocols]] of Object.entries(cases)) {
    // Named last on purpose: after it daphne no longer notices exceptions.
    for (const client of /** @type {const} */ (['ws', 'undici'])) {
      const onOpen = (/** @type {any} */ socket) => socket.close(1000)
      rows[`${what}, ${client}`] = describe(
        await visit(client, origin + path, { protocols, onOpen, ms: 7000 }),
      )
    }
  }
  return rows
}

/** @param {Server} server @returns {Promise<Rows>} */
async function messages(server) {
  const { access } = await server.mint('alice')
  const path = chatPath(server, 'lobby', `?token=${access}`)
  const mebibyte = 2 ** 20
  const big = (/** @type {number} */ size) => `{"message":"${'x'.repeat(size - 14)}"}`
  /** @type {[string, number, Buffer | string][]} */
  const inputs = [
    ['`{"message":"hi"}`', 1, '{"message":"hi"}'],
    ['`{"message":"é"}`', 1, '{"message":"é"}'],
    ['`hello`', 1, 'hello'],
    ['empty text', 1, ''],
    ['`{"type":"ping"}`', 1, '{"type":"ping"}'],
    ['binary', 2, Buffer.from([1, 2, 3])],
    ['invalid UTF-8', 1, Buffer.from([0xff, 0xfe])],
    ['ping frame', 9, 'abc'],
    ['1 MiB', 1, big(mebibyte)],
    ['1 MiB + 1', 1, big(mebibyte + 1)],
    ['16 MiB', 1, big(16 * mebibyte)],
    ['16 MiB + 1', 1, big(16 * mebibyte + 1)],
  ]
  /** @type {Rows} */
  const rows = {}
  for (const [what, opcode, content] of inputs) {
    const connection = raw(server, path)
    await connection.response
    await sleep(50)
    const greeting = connection.events.splice(0)
    rows['the first frame'] = greeting.join(', ')
    connection.frame(opcode, content)
    const patience = content.length > mebibyte ? 10_000 : 1800
    for (let waited = 0; waited < patience && !connection.events.length; waited += 50)
      await sleep(50)
    await Promise.race([connection.ended, sleep(300)])
    rows[what] = connection.events.join(', ') || `nothing in ${patience / 1000} s, stays open`
    // Deaf or alive: says whether a socket that gave no answer is still of use.
    if (!connection.events.length) {
      connection.frame(1, '{"message":"still there?"}')
      await sleep(300)
      rows[what] += connection.events.length ? '; answers afterwards' : '; deaf afterwards'
    }
    connection.destroy()
  }
  rows['350 KiB of `é`, seen by another in the room'] = await growing(server, path)
  return rows
}

/**
 * A message that is within the limit when it comes in and beyond it when it goes out: Django writes `é`,
 * two bytes, as six.
 *
 * @param {Server} server
 * @param {string} path
 */
async function growing(server, path) {
  const [sender, other] = [raw(server, path), raw(server, path)]
  await Promise.all([sender.response, other.response])
  await sleep(100)
  other.events.length = 0
  sender.frame(1, `{"message":"${'é'.repeat(175 * 1024)}"}`)
  await Promise.race([other.ended, sleep(2500)])
  sender.destroy()
  other.destroy()
  return other.events.join(', ') || 'nothing'
}

/** @param {string} name @returns {Promise<Rows>} */
async function shutdowns(name) {
  /** @type {Rows} */
  const rows = {}
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGKILL'])) {
    const server = await start(name)
    const { access } = await server.mint('alice')
    const path = chatPath(server, 'lobby', `?token=${access}`)
    const connection = raw(server, path)
    await connection.response
    const seen = visit('ws', `ws://127.0.0.1:${server.port}${path}`, { ms: 5000 })
    await sleep(200)
    connection.events.length = 0
    const took = await server.stop(signal)
    await Promise.race([connection.ended, sleep(500)])
    rows[signal] =
      `${connection.events.join(', ').replace(/ @\d+/g, '')}; ws: ${describe(await seen)}; gone after ${took}`
  }
  return rows
}

/** @param {string} name @returns {Promise<Rows>} */
async function logs(name) {
  /** @type {Rows} */
  const rows = {}
  for (const level of ['warning', 'info', 'debug']) {
    const server = await start(name, ['--log-level', level])
    const { access } = await server.mint('alice')
    const path = chatPath(server, 'lobby', `?token=${access}`)
    const found = (/** @type {string} */ log) => {
      const line = log.split('\n').find((text) => text.includes(access.slice(-20)))
      return line ? `yes: \`${line.trim().replaceAll(access, '<JWT>').slice(0, 160)}\`` : 'no'
    }
    const connection = raw(server, path)
    await connection.response
    await sleep(200)
    rows[`${level}, upgrade`] = found(server.log())
    connection.destroy()
    const before = server.log().length
    await status(server, path, { upgrade: false })
    await sleep(200)
    rows[`${level}, plain GET`] = found(server.log().slice(before))
    await server.stop()
  }
  return rows
}

/** @param {Response} response */
async function summary(response) {
  const text = (await response.text()).replace(/eyJ[\w.-]+|"[\w-]{43}"/g, '…').replace(/\s+/g, ' ')
  const extra = ['www-authenticate', 'location'].flatMap((name) => {
    const value = response.headers.get(name)
    return value ? [`${name}: ${value.replace(/:\d+/, ':PORT')}`] : []
  })
  return [`${response.status} \`${text.slice(0, 140)}\``, ...extra].join(', ')
}

/** @param {Server} server @returns {Promise<Rows>} */
async function tokenEndpoints(server) {
  const password = 'correct-horse'
  const { isChannels, post } = server
  const obtain = isChannels ? '/api/token/' : '/token'
  const refresh = isChannels ? '/api/token/refresh/' : '/token/refresh'
  const credentials = (/** @type {string} */ secret) => ({ username: 'alice', password: secret })
  const form = (/** @type {string} */ secret) =>
    new URLSearchParams({ grant_type: 'password', ...credentials(secret) })
  const body = (/** @type {string} */ secret) => (isChannels ? credentials(secret) : form(secret))
  const field = isChannels ? 'refresh' : 'refresh_token'
  const fresh = async () => (await server.mint('alice')).refresh
  const used = await fresh()
  /** @type {Rows} */
  const rows = {
    obtain: await summary(await post(obtain, body(password))),
    'the other body form': await summary(
      await post(obtain, isChannels ? form(password) : credentials(password)),
    ),
    'bad password': await summary(await post(obtain, body('wrong'))),
    'missing field': await summary(
      await post(
        obtain,
        isChannels ? { username: 'alice' } : new URLSearchParams({ username: 'alice' }),
      ),
    ),
    'JSON that is none': await summary(await post(isChannels ? obtain : refresh, '{')),
    'slash the other way round': await summary(
      await post(isChannels ? '/api/token' : '/token/', body(password)),
    ),
    refresh: await summary(await post(refresh, { [field]: used })),
    'used refresh token': await summary(await post(refresh, { [field]: used })),
    'garbage refresh token': await summary(await post(refresh, { [field]: 'garbage' })),
    'access token as refresh token': await summary(
      await post(refresh, { [field]: (await server.mint('alice')).access }),
    ),
    'empty refresh token': await summary(await post(refresh, { [field]: '' })),
    'no refresh token': await summary(await post(refresh, {})),
  }
  const orphan = (await server.mint('bob')).refresh
  await post('/_control/delete-user', { user: 'bob' })
  rows['refresh token of a deleted user'] = await summary(await post(refresh, { [field]: orphan }))
  for (const count of [2, 5]) {
    /** @type {Record<string, number>} */
    const tally = {}
    for (let trial = 0; trial < 40; trial += 1) {
      const token = await fresh()
      const answers = await Promise.all(
        Array.from({ length: count }, () => post(refresh, { [field]: token })),
      )
      const winners = answers.filter((answer) => answer.ok).length
      const others = answers.filter((answer) => !answer.ok).map((answer) => answer.status)
      const key = `${winners} × 200${[...new Set(others)].map((code) => `, rest ${code}`).join('')}`
      tally[key] = (tally[key] ?? 0) + 1
    }
    rows[`${count} refreshes at once, 40 trials`] = Object.entries(tally)
      .map(([key, times]) => `${times}: ${key}`)
      .join('; ')
  }
  await post('/_control/reset', {})
  return rows
}

/** @param {Server} server @returns {Promise<Rows>} */
async function slow(server) {
  const late = async (/** @type {number} */ seconds) => {
    const began = Date.now()
    const answer = await raw(server, `/_probe/accept-late?seconds=${seconds}`).response
    return `${answer.split('\r\n')[0].replace(/ @\d+/, '')} after ${((Date.now() - began) / 1000).toFixed(1)} s`
  }
  const idle = async (/** @type {boolean} */ answers) => {
    const connection = raw(server, '/_probe/echo', { answers })
    await Promise.race([connection.ended, sleep(70_000)])
    connection.destroy()
    return connection.events.join(', ') || 'nothing in 70 s'
  }
  const [three, eight, alive, silent] = await Promise.all([
    late(3),
    late(8),
    idle(true),
    idle(false),
  ])
  return {
    'accepted after 3 s': three,
    'accepted after 8 s': eight,
    'idle for 70 s': alive,
    'idle for 70 s, pings unanswered': silent,
  }
}

// --- the report ----------------------------------------------------------------------------------

/** @param {string} title @param {Map<string, Rows>} columns one per server */
function table(title, columns) {
  const names = [...columns.keys()]
  const rows = [...new Set([...columns.values()].flatMap((rows) => Object.keys(rows)))]
  const cell = (/** @type {string | undefined} */ text) => (text ?? '').replaceAll('|', '\\|')
  console.log(`\n## ${title}\n`)
  // Many servers and short results: a table. Long results read better as a list, equal ones once.
  const isShort = [...columns.values()].every((rows) =>
    Object.values(rows).every((text) => text.length < 12),
  )
  if (isShort) {
    console.log(`| | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`)
    for (const row of rows) {
      console.log(`| ${row} | ${names.map((name) => cell(columns.get(name)?.[row])).join(' | ')} |`)
    }
    return
  }
  for (const row of rows) {
    /** @type {Map<string, string[]>} */
    const byResult = new Map()
    for (const name of names) {
      const result = columns.get(name)?.[row]
      if (result === undefined) continue
      // Times differ from run to run; only whole seconds say something.
      const rounded = result.replace(/ @(\d+)/g, (_, ms) =>
        ms < 300 ? '' : ` at ${(ms / 1000).toFixed(1)} s`,
      )
      byResult.set(rounded, [...(byResult.get(rounded) ?? []), name])
    }
    console.log(`- **${row}**`)
    for (const [result, servers] of byResult) {
      console.log(`  - ${servers.length === names.length ? 'all' : servers.join(', ')}: ${result}`)
    }
  }
}

async function versions() {
  const packages =
    'Django channels daphne autobahn Twisted djangorestframework djangorestframework-simplejwt PyJWT fastapi starlette uvicorn websockets wsproto h11'
  const code = `import sys, importlib.metadata as m\nprint("Python", sys.version.split()[0], *(f", {p} {m.version(p)}" for p in "${packages}".split()), sep=" ")`
  const { stdout } = await promisify(execFile)(await ensurePythonEnv(), ['-c', code])
  return stdout.trim().replaceAll(' , ', ', ')
}

async function main() {
  const args = process.argv.slice(2)
  const chosen = args.filter((arg) => !arg.startsWith('--'))
  const names = chosen.length ? chosen : ALL
  console.log(
    `# Measured ${new Date().toISOString().slice(0, 10)}\n\n${await versions()}. Node ${process.version}.`,
  )

  /** @type {[string, (server: Server) => Promise<Rows>][]} */
  const measurements = [
    ['Upgrade status of the article’s chat', upgradeStatus],
    ['Refusals before accept', refusals],
    ['Closes after accept', closesAfterAccept],
    ['Closes by the client', closesByClient],
    ['Messages to the article’s chat', messages],
    ['Token endpoints', tokenEndpoints],
    ...(args.includes('--slow') ? [/** @type {[string, typeof slow]} */ (['Time', slow])] : []),
    // Last: it leaves daphne damaged.
    ['Subprotocols', subprotocols],
  ]
  const servers = await Promise.all(names.map((name) => start(name)))
  try {
    for (const [title, measure] of measurements) {
      const columns = new Map()
      // Two cores: only what mostly waits runs at the same time.
      if (measure === slow) {
        const results = await Promise.all(servers.map(measure))
        for (const [index, rows] of results.entries()) columns.set(names[index], rows)
      } else {
        for (const server of servers) columns.set(server.name, await measure(server))
      }
      table(title, columns)
      console.error(title, Math.round(performance.now() / 1000))
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  for (const [title, measure] of /** @type {const} */ ([
    ['Shutdown with open sockets', shutdowns],
    ['Is the token in the log?', logs],
  ])) {
    const columns = new Map()
    for (const name of names) columns.set(name, await measure(name))
    console.error(title, Math.round(performance.now() / 1000))
    table(title, columns)
  }
}

await main()
