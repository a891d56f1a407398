// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code as text.
// biome-ignore-all format: one bug a line.
/**
 * Bugs, one by one: what is changed in the text of `tiny-server.ts`, and the check that is there to find it.
 * A check that no bug here is meant for fails the test: it would have proved nothing.
 */

export interface Mutation {
  /** The check, or rule, that has to fail. */
  readonly of: string
  readonly bug: string
  /** Each text occurs once in the server. */
  readonly edits: readonly (readonly [find: string, put: string])[]
  /** How the token travels, where that matters. Default by query. */
  readonly by?: 'query' | 'pair' | 'cookie' | 'first-message'
  /** What the finding has to say: that it fails for the reason meant. */
  readonly says: RegExp
}

type Row = readonly [of: string, bug: string, find: string, put: string, says: RegExp]

const REPLY_OF_SEND = "this.#reply(connection, { type: 'ok', id, seq })"
const SEEN = "if (seen !== undefined) return this.#reply(connection, { type: 'ok', id, seq: seen })"
const MESSAGE = "this.#reply(member, { type: 'message', room: name, ...stored })"
const KEY = '`${user} ${clientId} ${n}`'
const ADMIT = 'if (!offered(request).includes(PROTOCOL)) return socket.close(1002)'
const BAD = 'if (grant === undefined) return socket.close(4003)'
const RECEIVE = 'const { frame, id, isRight } = read(text)'
const RECOVERED = 'return { recovered: true, messages: messages.slice(seq) }'
const FORBIDDEN =
  "if (name === FORBIDDEN) return this.#fail(connection, { ...known, code: 'forbidden' })"
const HIDE = 'if (shown === undefined || shown.by.size > 0) return'

const HANDSHAKE: readonly Row[] = [
  ['handshake.echo-only', 'echoes the last word', 'words.has(PROTOCOL) ? PROTOCOL : false', '[...words].at(-1) ?? false', /came back as "conformance\.not-a\.token"/],
  ['handshake.bad-token', 'says so before it closes', BAD, 'if (grant === undefined) { socket.send(\'{"type":"error","code":"token-refused","message":"no"}\'); return socket.close(4003) }', /came before the close/],
  ['handshake.bad-token', 'closes with 1008', BAD, 'if (grant === undefined) return socket.close(1008)', /closed with 1008/],
  ['handshake.bad-token', 'lets it in', BAD, "if (grant === undefined) return this.#judge(socket, request, 'token-of.alice')", /still open/],
  ['handshake.bad-token', 'refuses before it accepts', "host: '127.0.0.1',", "host: '127.0.0.1', verifyClient: ({ req }: { req: IncomingMessage }) => tokensOf(req).every((token) => TOKENS.has(token)),", /HTTP 401 before it accepted/],
  ['handshake.expired-token', 'does not look at the expiry', "['token-of.bob', { user: 'bob' }],", "['token-of.bob', { user: 'bob' }], ['token-of.alice.expired', { user: 'alice' }],", /still open/],
  ['handshake.no-token', 'waits for ever', 'const timer = setTimeout(() => socket.close(4003), AUTH_MS)', 'const timer = setTimeout(() => {}, AUTH_MS)', /still open/],
  ['handshake.two-tokens', 'takes the first of two', 'if (tokens.length > 1) return socket.close(4003)', '', /still open/],
  ['handshake.first-frame', 'reads no token of a frame', "this.#judge(socket, request, String(frame['token']))", 'socket.close(4003)', /closed with 4003/],
  ['handshake.first-frame-refused', 'answers an error instead of a close', "this.#judge(socket, request, String(frame['token']))", 'TOKENS.has(String(frame[\'token\'])) ? this.#judge(socket, request, String(frame[\'token\'])) : socket.send(\'{"type":"error","id":0,"code":"token-refused","message":"no"}\')', /still open/],
  ['handshake.first-frame-only', 'answers a ping before auth', 'clearTimeout(timer)\n', 'clearTimeout(timer); socket.send(\'{"type":"pong","id":1}\')\n', /before auth was answered/],
  ['handshake.foreign-client', 'judges the token first', ADMIT, 'if (!offered(request).includes(PROTOCOL)) return socket.close(4003)', /closed with 4003/],
  ['handshake.rooms-of-url', 'gives them the id 0', 'this.#join(connection, undefined, { room })', 'this.#join(connection, 0, { room })', /had the id 0/],
  ['handshake.rooms-of-url', 'answers and does not join', 'this.#join(connection, undefined, { room })', "this.#reply(connection, { type: 'joined', room, epoch: this.#room(room).epoch, seq: 0, recovered: false })", /not-joined/],
  ['handshake.rooms-of-url-refused', 'closes over a forbidden room', FORBIDDEN, 'if (name === FORBIDDEN) return connection.socket.close(4403)', /closed with 4403/],
  ['handshake.fence', 'has none', "if (number < (this.#fences.get(`${user} ${client}`) ?? 0)) return refuse('superseded')", '', /"type":"ok"/],
  ['handshake.fence-lower', 'believes the last dial', 'this.#fences.set(key, Math.max(number, this.#fences.get(key) ?? 0))', 'this.#fences.set(key, number)', /lower number was answered by \{"type":"ok"/],
  ['handshake.fence-lower', 'compares numbers as text', 'if (number < (this.#fences.get(`${user} ${client}`) ?? 0))', 'if (`${number}` < `${this.#fences.get(`${user} ${client}`) ?? 0}`)', /lower number was answered by \{"type":"ok"/],
  ['handshake.fence-welcomed', 'fences before it judges the token', 'const grant = TOKENS.get(token)\n    if (grant === undefined) return socket.close(4003)', "const grant = TOKENS.get(token)\n    this.#fences.set(`alice ${queryOf(request).get('client')}`, Number(queryOf(request).get('connection')))\n    if (grant === undefined) return socket.close(4003)", /superseded/],
  ['handshake.no-fence', 'takes no number for 0', 'number = Number.POSITIVE_INFINITY } = connection', 'number = -1 } = connection', /superseded/],
]

const BASICS: readonly Row[] = [
  ['welcome.frame', 'forgets resumeWindowMs', 'resumeWindowMs: 60_000,', '', /welcome\.resumeWindowMs is missing/],
  ['welcome.frame', 'tells limits as text', 'limits: LIMITS,', "limits: { ...LIMITS, frameBytes: '4096' },", /welcome\.limits\.frameBytes must be/],
  ['welcome.user', 'names everybody alike', "['token-of.bob', { user: 'bob' }]", "['token-of.bob', { user: 'alice' }]", /two users were both "alice"/],
  ['welcome.user', 'names the connection', 'user: grant.user,', 'user: grant.user + randomUUID(),', /two connections of one user/],
  ['welcome.session', 'has one for all', 'session: randomUUID(),', "session: 'session',", /two connections were/],
  ['ping.pong', 'answers with another id', "this.#reply(connection, { type: 'pong', id })", "this.#reply(connection, { type: 'pong', id: id + 1 })", /no answer to a ping came/],
  ['requests.ids', 'takes 0 for no id', 'if (!isRight || id === undefined)', 'if (!isRight || !id)', /the id 0 was answered by .*bad-frame/],
  ['requests.ids', 'keeps ids as 32-bit numbers', "this.#reply(connection, { type: 'pong', id })", "this.#reply(connection, { type: 'pong', id: id >>> 0 })", /no answer to a ping came/],
  ['requests.one-answer', 'answers a leave twice', 'this.#leave(connection, room)\n', "this.#leave(connection, room); this.#reply(connection, { type: 'ok', id })\n", /answers no open request/],
  ['requests.one-answer', 'answers a leave by a pong', "return this.#reply(connection, { type: 'ok', id })", "return this.#reply(connection, { type: 'pong', id })", /leave was answered by pong/],
]

const ROOMS: readonly Row[] = [
  ['words.longest-name', 'allows 255 bytes', 'Buffer.byteLength(value) <= 256', 'Buffer.byteLength(value) <= 255', /bad-frame/],
  ['words.too-long-name', 'counts characters', 'Buffer.byteLength(value) <= 256', 'value.length <= 256', /joined\.room must be/],
  ['words.too-long-name', 'allows the empty name', 'isText(value) && Buffer.byteLength', "typeof value === 'string' && Buffer.byteLength", /joined\.room must be/],
  ['words.names-differ', 'lowers the case', 'const room = this.#rooms.get(name) ?? new Room()\n    this.#rooms.set(name, room)', 'const room = this.#rooms.get(name.toLowerCase()) ?? new Room()\n    this.#rooms.set(name.toLowerCase(), room)', /got seq 2/],
  ['words.names-differ', 'normalizes', 'const room = this.#rooms.get(name) ?? new Room()\n    this.#rooms.set(name, room)', 'const room = this.#rooms.get(name.normalize()) ?? new Room()\n    this.#rooms.set(name.normalize(), room)', /got seq 2/],
  ['words.names-differ', 'trims', 'const room = this.#rooms.get(name) ?? new Room()\n    this.#rooms.set(name, room)', 'const room = this.#rooms.get(name.trim()) ?? new Room()\n    this.#rooms.set(name.trim(), room)', /got seq 2/],
  ['words.names-of-objects', 'keeps rooms in an object', 'const room = this.#rooms.get(name) ?? new Room()', 'const room = (({} as Record<string, Room>)[name]) ?? this.#rooms.get(name) ?? new Room()', /closed with 1011/],
  ['join.one', 'forgets the id', '...known,\n      epoch', 'room: name,\n      epoch', /no answer to a join came/],
  ['join.one', 'says recovered', 'if (!isObject(resume)) return { recovered: false }', 'if (!isObject(resume)) return { recovered: true }', /without resume was recovered/],
  ['join.one', 'counts from 1 on', 'seq: room.messages.length,', 'seq: room.messages.length + 1,', /fresh room was at seq 1/],
  ['join.many', 'joins the first room only', 'for (const joining of rooms) this.#join(connection, id, joining)', 'for (const joining of rooms.slice(0, 1)) this.#join(connection, id, joining)', /no answer to a join came/],
  ['join.again', 'keeps a list of members', 'readonly members = new Set<Connection>()', 'readonly members = Object.assign([] as Connection[], { add(this: Connection[], it: Connection) { this.push(it) }, delete(this: Connection[], it: Connection) { this.splice(this.indexOf(it), 1) } })', /came twice|in place of/],
  ['join.again', 'refuses a second join', FORBIDDEN, `${FORBIDDEN}\n    if (connection.rooms.has(name)) return this.#fail(connection, { ...known, code: 'bad-frame' })`, /bad-frame/],
  ['join.params', 'refuses params', "isMaybe(value['params'], isObject)", "value['params'] === undefined", /bad-frame/],
  ['join.forbidden', 'closes over a forbidden room', FORBIDDEN, 'if (name === FORBIDDEN) return connection.socket.close(4403)', /closed with 4403/],
  ['join.forbidden', 'does not name the room', FORBIDDEN, "if (name === FORBIDDEN) return this.#fail(connection, { ...(id === undefined ? {} : { id }), code: 'forbidden' })", /did not name the room/],
  ['join.forbidden', 'lets everybody in', FORBIDDEN, '', /"type":"joined"/],
  ['join.forbidden', 'says no and joins', FORBIDDEN, "if (name === FORBIDDEN) { connection.rooms.add(name); return this.#fail(connection, { ...known, code: 'forbidden' }) }", /refused room was answered by .*stale-epoch/],
  ['join.whole', 'checks room by room', 'rooms.every(isJoining) &&', 'rooms.some(isJoining) &&', /no bad-frame|not by error bad-frame/],
  ['join.once', 'takes a room twice', 'new Set(rooms.map(({ room }) => room)).size === rooms.length', 'true', /not by error bad-frame/],
  ['limits.rooms-per-join', 'takes any number', "if (rooms.length > LIMITS.roomsPerJoin) return this.#fail(connection, { id, code: 'too-large' })", '', /not by error too-large/],
  ['limits.rooms-per-join', 'refuses at the limit', 'if (rooms.length > LIMITS.roomsPerJoin)', 'if (rooms.length >= LIMITS.roomsPerJoin)', /too-large/],
  ['leave.ok', 'leaves nothing', 'this.#leave(connection, room)\n', '', /not by error not-joined/],
  ['leave.not-joined', 'says ok to everything', 'if (!connection.rooms.has(room))\n', 'if (false)\n', /not by error not-joined/],
  ['order.leave', 'goes on delivering', 'room.members.delete(connection)', '', /after the ok of the leave/],
  ['order.members-only', 'goes on delivering', 'room.members.delete(connection)', '', /not in the room/],
]

const SEND: readonly Row[] = [
  ['send.ok', 'numbers from 0', 'const seq = room.messages.length + 1', 'const seq = room.messages.length', /got seq 0/],
  ['send.ok', 'numbers by twos', 'const seq = room.messages.length + 1', 'const seq = room.messages.length * 2 + 1', /got seq 3/],
  ['send.ok', 'forgets the seq', REPLY_OF_SEND, "this.#reply(connection, { type: 'ok', id })", /send was answered by/],
  ['send.others', 'leaves the sender out', MESSAGE, `if (member !== connection) ${MESSAGE}`, /no message in the room came/],
  ['send.others', 'echoes to the sender only', MESSAGE, `if (member === connection) ${MESSAGE}`, /no message in the room came/],
  ['send.others', 'forgets n', MESSAGE, "this.#reply(member, { type: 'message', room: name, ...stored, n: undefined })", /message\.n is missing/],
  ['send.others', 'names the client of the reader', MESSAGE, "this.#reply(member, { type: 'message', room: name, ...stored, clientId: member.client })", /members got/],
  ['send.data', 'takes null for nothing', "Object.hasOwn(frame, 'data')", "frame['data'] != null", /bad-frame/],
  ['send.data', 'takes falsy for nothing', 'at: Date.now(), data }', 'at: Date.now(), data: data || null }', /arrived as null/],
  ['send.data', 'loses members of prototypes', 'at: Date.now(), data }', 'at: Date.now(), data: isObject(data) ? Object.assign({}, data) : data }', /arrived as/],
  ['send.not-joined', 'looks at the room only', "if (!connection.rooms.has(name)) return refuse('not-joined')", '', /not by error not-joined/],
  ['send.stale-epoch', 'does not compare', "if (epoch !== room.epoch) return refuse('stale-epoch')", '', /not by error stale-epoch/],
  ['send.stale-epoch', 'stores it all the same', "if (epoch !== room.epoch) return refuse('stale-epoch')", "if (epoch !== room.epoch) { room.messages.push({} as Stored); return refuse('stale-epoch') }", /next send got seq 2/],
  ['send.repeated', 'skips the look-up', SEEN, '', /repetition of seq 1 got seq 2/],
  ['send.repeated', 'delivers it again', SEEN, `if (seen !== undefined) { for (const member of room.members) this.#reply(member, { type: 'message', room: name, ...room.messages[seen - 1] }); return this.#reply(connection, { type: 'ok', id, seq: seen }) }`, /heard|in place of/],
  ['send.repeated', 'compares the data', SEEN, `if (seen !== undefined && JSON.stringify(room.messages[seen - 1]?.data) === JSON.stringify(data)) return this.#reply(connection, { type: 'ok', id, seq: seen })`, /repetition of seq 1 got seq 2/],
  ['send.repeated-on-next', 'remembers with the connection', KEY, '`${user} ${clientId} ${n} ${number}`', /on the next connection got seq 2/],
  ['send.user-of-id', 'leaves the user out', KEY, '`${clientId} ${n}`', /got the seqs \[1,1\]/],
  ['send.room-of-id', 'remembers ids for all rooms', 'const seen = room.ids.get(key)', 'const seen = [...this.#rooms.values()].map(({ ids }) => ids.get(key)).find((it) => it !== undefined)', /not delivered|no message in the room came/],
  ['send.refused-again', 'remembers refused ones', "if (!connection.rooms.has(name)) return refuse('not-joined')", "if (!connection.rooms.has(name)) { this.#room(name).ids.set(`${user} ${clientId} ${n}`, 1); return refuse('not-joined') }", /got the seqs \[1,1\]|heard/],
  ['send.refused-again', 'keeps the highest n only', 'const seen = room.ids.get(key)', 'const top = Math.max(0, ...room.messages.filter((it) => it.clientId === clientId && it.from === user).map((it) => it.n))\n    const seen = Number(n) <= top ? room.messages.find((it) => it.n === n)?.seq ?? room.messages.length : undefined', /got the seqs \[1,1\]/],
  ['send.volatile', 'does not number it', 'const seq = room.messages.length + 1', "const seq = room.messages.length + 1\n    if (frame['volatile'] === true) return this.#reply(connection, { type: 'ok', id, seq })", /seqs 1 and 1/],
  ['send.many', 'counts by the clock', 'const seq = room.messages.length + 1', 'const seq = room.messages.length + 1 + (room.messages.length > 9 ? 1 : 0)', /the seqs were/],
  ['message.from', 'believes the sender', 'from: user, clientId', "from: String(frame['from'] ?? user), clientId", /from was "conformance-mallory"/],
  ['message.at', 'tells seconds', 'at: Date.now()', 'at: Math.floor(Date.now() / 1000)', /at was/],
  ['order.contiguous', 'drops every fourth message', MESSAGE, `if (stored.seq % 4 !== 0) ${MESSAGE}`, /message 5 came after 3/],
  ['order.welcome-first', 'greets before', "this.#reply(connection, {\n      type: 'welcome',", "this.#reply(connection, { type: 'pong', id: 0 })\n    this.#reply(connection, {\n      type: 'welcome',", /pong came before welcome/],
]

const JOINED: readonly Row[] = [
  ['joined.late', 'begins at 0 for everybody', 'seq: room.messages.length,', 'seq: 0,', /after three messages joined said seq 0/],
  ['joined.late', 'draws an epoch for each join', 'epoch: room.epoch,', 'epoch: randomUUID(),', /two epochs|stale-epoch/],
  ['joined.resume', 'is off by one', RECOVERED, 'return { recovered: true, messages: messages.slice(seq + 1) }', /resume at/],
  ['joined.resume', 'gives the newest first', RECOVERED, 'return { recovered: true, messages: messages.slice(seq).reverse() }', /resume at/],
  ['joined.resume', 'remembers nothing and says so', RECOVERED, 'return { recovered: false }', /not recovered/],
  ['joined.resume-nothing', 'takes nothing missed for not recovered', 'if (seq > messages.length) return { recovered: false }', 'if (seq >= messages.length) return { recovered: false }', /was not recovered/],
  ['joined.resume-epoch', 'does not compare epochs', "if (resume['epoch'] !== epoch) return { recovered: false }", '', /recovered: true/],
  ['joined.resume-beyond', 'recovers what is not there', 'if (seq > messages.length) return { recovered: false }', '', /recovered: true/],
  ['joined.resume-each', 'resumes all by the first', 'for (const joining of rooms) this.#join(connection, id, joining)', "for (const joining of rooms) this.#join(connection, id, { ...joining, resume: rooms[0]?.['resume'] && { epoch: this.#room(String(joining['room'])).epoch, seq: 1 } })", /second room was answered/],
  ['joined.resume-many', 'gives a hundred at most', RECOVERED, 'return { recovered: true, messages: messages.slice(seq, seq + 100) }', /messages came/],
  ['joined.resume-while-sent', 'reads before it delivers', 'room.members.add(connection)', "if (joining['resume'] === undefined) room.members.add(connection)\n    else setTimeout(() => room.members.add(connection), 150)", /no message in the room came|after seq 2/],
  ['order.arrival', 'carries out a join later', "return this.#joinAll(connection, id, frame['rooms'] as Frame[])", "return setTimeout(() => this.#joinAll(connection, id, frame['rooms'] as Frame[]))", /not-joined/],
  ['order.join-while-sent', 'delivers a moment after joined', 'room.members.add(connection)', 'setTimeout(() => room.members.add(connection), 150)', /where|no message in the room came/],
  ['order.stored-first', 'acknowledges before it stores', 'room.messages.push(stored)', 'setTimeout(() => room.messages.push(stored), 50)', /history ended with/],
]

const CALLS: readonly Row[] = [
  ['call.reply', 'leaves data out', 'data: run(data) })', 'data: run(data) ?? undefined })', /reply\.data is missing/],
  ['call.reply', 'answers by ok', "{ type: 'reply', id, data: run(data) }", "{ type: 'ok', id }", /was answered by \{"type":"ok"/],
  ['call.unknown', 'keeps methods in an object', 'const run = METHODS.get(String(method))', "const run = ({ echo: METHODS.get('echo') } as Record<string, undefined | ((data: unknown) => unknown)>)[String(method)]", /closed with 1011/],
  ['history.pages', 'gives the oldest', 'older.slice(-limit)', 'older.slice(0, limit)', /limit 2, before absent/],
  ['history.pages', 'gives the newest first', 'const page = older.slice(-limit)', 'const page = older.slice(-limit).reverse()', /limit 2, before absent/],
  ['history.pages', 'includes before', 'seq < before', 'seq <= before', /before 4/],
  ['history.pages', 'says more where nothing is', 'const more = older.length > page.length', 'const more = messages.length > page.length', /"more":true/],
  ['history.messages', 'loses the clock', 'messages: page, more', 'messages: page.map((it) => ({ ...it, at: Date.now() + 1 })), more', /history held/],
  ['history.empty', 'refuses an empty room', 'const { epoch, messages } = this.#room(name)', "const { epoch, messages } = this.#room(name)\n    if (messages.length === 0) return this.#fail(connection, { id, room: name, code: 'not-joined' })", /was answered by \{"type":"error"/],
  ['history.not-joined', 'shows it to strangers', "if (!connection.rooms.has(name))\n      return this.#fail(connection, { id, room: name, code: 'not-joined' })\n    const { epoch", 'const { epoch', /not by error not-joined/],
  ['limits.history', 'gives all that is asked for', "Math.min(Number(frame['limit']), LIMITS.history)", "Number(frame['limit'])", /more than 8 came/],
]

const PRESENCE: readonly Row[] = [
  ['presence.members', 'leaves the client itself out', '[...room.shown.values()].map(', '[...room.shown.values()].filter(({ by }) => !by.has(connection)).map(', /members were/],
  ['presence.members', 'forgets members', '...(isObject(presence) ? shown : {}),', '', /without members and version/],
  ['presence.joins', 'tells nobody', "this.#tell(room, {\n      type: 'presence',", "if (room.version < 0) this.#tell(room, {\n      type: 'presence',", /no presence frame came/],
  ['presence.joins', 'loses the data', 'joins: [member],', 'joins: [{ ...member, data: {} }],', /its data was/],
  ['presence.changes', 'keeps the first data', 'room.shown.set(key, { member, by: by.add(connection) })', 'room.shown.set(key, { member: room.shown.get(key)?.member ?? member, by: by.add(connection) })', /joined showed/],
  ['presence.changes', 'shows a change as a leave', 'joins: [member],\n      leaves: [],', 'joins: [member],\n      leaves: by.size > 1 || room.version > 2 ? [member] : [],', /watcher was told/],
  ['presence.leaves', 'forgets to say so', HIDE, 'if (shown !== undefined) return', /no presence frame came/],
  ['presence.leaves', 'keeps who closed cleanly', 'code === 1006 ? LEASE_MS : 0', 'LEASE_MS', /no presence frame came/],
  ['presence.once', 'shows each connection', 'const key = `${member.user} ${member.clientId}`', 'const key = `${member.user} ${member.clientId} ${connection.number}`', /it was \[/],
  ['presence.once', 'hides with the first of two', HIDE, 'if (shown === undefined) return', /one of its two connections ended/],
  ['presence.lost', 'takes a lost one off at once', 'code === 1006 ? LEASE_MS : 0', '0', /"leaves":\[\{/],
  ['presence.only-asked', 'tells every member', 'for (const watcher of watchers)', 'for (const watcher of [...this.#rooms.values()].find((it) => it.watchers === watchers)?.members ?? [])', /had not joined with presence/],
  ['presence.only-asked', 'gives members to everybody', '...(isObject(presence) ? shown : {}),', '...shown,', /presence was not asked for/],
  ['presence.versions', 'counts by twos', 'room.version += 1\n    room.watchers.delete', 'room.version += 2\n    room.watchers.delete', /version \d+ came after/],
  ['presence.versions', 'tells the client of itself', 'room.watchers.delete(connection)\n    this.#tell', "setTimeout(() => this.#reply(connection, { type: 'presence', room: name, version: room.version, joins: [member], leaves: [] }))\n    room.watchers.delete(connection)\n    this.#tell", /version \d+ came after/],
]

const AUTH: readonly Row[] = [
  ['auth.renewed', 'leaves all rooms', 'this.#expire(connection, grant.endsInMs)\n    const ends', 'connection.rooms.clear(); this.#expire(connection, grant.endsInMs)\n    const ends', /not-joined/],
  ['auth.renewed', 'tells an expiry that is none', 'grant.endsInMs === undefined ? {} : { expiresInMs: grant.endsInMs }\n', '{ expiresInMs: 5_000 }\n', /expiresInMs/],
  ['auth.refused', 'closes over a bad renewal', "if (grant === undefined) return this.#fail(connection, { id, code: 'token-refused' })", 'if (grant === undefined) return connection.socket.close(4003)', /closed with 4003/],
  ['auth.expired', 'does not look at the expiry', "if (grant === undefined) return this.#fail(connection, { id, code: 'token-refused' })", "if (grant === undefined) return this.#reply(connection, { type: 'ok', id })", /not by error token-refused/],
  ['auth.other-user', 'takes any user', "if (grant.user !== connection.user) return this.#fail(connection, { id, code: 'other-user' })", '', /not by error other-user/],
  ['auth.other-user', 'changes the user and says no', "if (grant.user !== connection.user) return this.#fail(connection, { id, code: 'other-user' })", "if (grant.user !== connection.user) { Object.assign(connection, { user: grant.user }); return this.#fail(connection, { id, code: 'other-user' }) }", /came from "bob"/],
  ['auth.lives-on', 'keeps the old timer', 'clearTimeout(connection.expiry)\n    if (endsInMs', 'if (endsInMs', /closed with 4003/],
  ['close-codes.expiry', 'never ends a connection', 'connection.expiry = setTimeout(() => connection.socket.close(4003), endsInMs)', '', /still open/],
  ['close-codes.expiry', 'does not tell', '...(endsInMs === undefined ? {} : { expiresInMs: endsInMs }),', '', /no expiresInMs/],
  ['close-codes.expiry', 'ends it with 1000', 'setTimeout(() => connection.socket.close(4003), endsInMs)', 'setTimeout(() => connection.socket.close(1000), endsInMs)', /closed with 1000/],
]

const LIMITS: readonly Row[] = [
  ['limits.frame', 'refuses at the limit', 'if (Buffer.byteLength(text) > LIMITS.frameBytes)', 'if (Buffer.byteLength(text) >= LIMITS.frameBytes)', /too-large/],
  ['limits.frame', 'keeps a lower limit than it tells', 'maxPayload: 524_288', 'maxPayload: 2_048', /closed with 1009/],
  ['limits.frame-over', 'counts characters', 'if (Buffer.byteLength(text) > LIMITS.frameBytes)', 'if (text.length > LIMITS.frameBytes)', /not by error too-large|no error or close came/],
  ['limits.frame-over', 'closes with 1008', "return this.#fail(connection, { ...known, code: 'too-large' })\n    if (!isRight", 'return connection.socket.close(1008)\n    if (!isRight', /close with 1008/],
  ['limits.frame-huge', 'ends all connections', "socket.on('error', () => socket.terminate())", "socket.on('error', () => { for (const each of server.clients) each.terminate() })", /closed with/],
  ['limits.in-flight', 'drops what is too much', "case 'send':\n        return this.#send", "case 'send':\n        if (Number(frame['n']) > 20 && Number(frame['n']) < 25) return\n        return this.#send", /no answer to a send among many came/],
  ['limits.in-flight', 'stores what it refuses', 'const seq = room.messages.length + 1\n', "const seq = room.messages.length + 1\n    if (seq === 20) { room.messages.push({} as Stored); return refuse('rate-limited') }\n", /ok named the seqs/],
  ['send.come-again', 'takes those behind', 'const isBehind = n > last', 'const isBehind = false', /send 24, behind send 23 .*"type":"ok"/],
  ['send.come-again', 'tells those behind another reason', "code: 'rate-limited', retryAfterMs: waitMs", "code: n === 25 ? 'unavailable' : 'rate-limited', ...(n !== 25 && { retryAfterMs: waitMs })", /send 24, behind send 23 .*unavailable/],
  ['send.come-again', 'lets those behind come sooner', 'isBehind ? at : Date.now() + AGAIN_MS', 'isBehind ? 0 : Date.now() + AGAIN_MS', /ends sooner/],
  ['send.come-again', 'gives those behind no time', 'retryAfterMs: waitMs })', '...(n !== 25 && { retryAfterMs: waitMs }) })', /send 24, behind send 23 .*no retryAfterMs/],
  ['send.come-again', 'remembers what it refused', 'if (waitMs > 0)', 'if (waitMs > 0) room.ids.set(key, room.messages.length)\n    if (waitMs > 0)', /no message in the room came/],
  ['limits.rooms', 'counts no rooms', 'connection.rooms.size >= LIMITS.rooms', 'connection.rooms.size < 0', /not by error too-large/],
  ['limits.rooms', 'counts rooms that were left', 'connection.rooms.delete(name)\n', '', /too-large|not-joined/],
]

const FRAMES: readonly Row[] = [
  ['frames.no-frame', 'closes over what is no JSON', '} catch {\n    return', "} catch {\n    if (text !== '') throw new Error('no JSON')\n    return", /closed with/],
  ['frames.no-frame', 'stays silent', "if (!isRight || id === undefined) return this.#fail(connection, { ...known, code: 'bad-frame' })", "if (!isRight || id === undefined) return id === undefined ? undefined : this.#fail(connection, { ...known, code: 'bad-frame' })", /not answered/],
  ['frames.wrong-auth', 'takes any token', "['auth', ({ token }) => isText(token)]", "['auth', () => true]", /auth with .*token-refused/],
  ['frames.wrong-join', 'takes resume as it comes', "isMaybe(value['resume'], isResume)", 'true', /join with .*resume/],
  ['frames.wrong-join', 'takes null for absent', "isMaybe(value['params'], isObject)", "(value['params'] === null || isMaybe(value['params'], isObject))", /params.*null/],
  ['frames.wrong-leave', 'makes a text of everything', "['leave', ({ room }) => isRoom(room)]", "['leave', () => true]", /leave with .*not-joined/],
  ['frames.wrong-send', 'takes clientIds as they come', "isClient(frame['clientId'])", "isText(frame['clientId'])", /clientId/],
  ['frames.wrong-send', 'lets a line break through, as $ of Python does', '/^[0-9a-f]{32}$/', '/^[0-9a-f]{32}\\n?$/', /clientId":"a{32}\\n/],
  ['frames.wrong-send', 'takes true for a number', "isCount(frame['n'])", "(frame['n'] === true || isCount(frame['n']))", /"n":true/],
  ['frames.wrong-send', 'sends without data', "Object.hasOwn(frame, 'data')", 'true', /send without data/],
  ['frames.wrong-send', 'forgets the id in its error', 'const known = id === undefined ? {} : { id }', "const known = id === undefined || frame['type'] === 'send' ? {} : { id }", /did not name the id/],
  ['frames.wrong-call', 'takes any method', "['call', ({ method }) => isText(method)]", "['call', () => true]", /call with .*unknown-method/],
  ['frames.wrong-history', 'takes 0 for a limit', 'isCount(limit) && limit > 0', 'isCount(limit)', /"limit":0/],
  ['frames.wrong-ping', 'takes negative ids', 'Number.isSafeInteger(value) && Number(value) >= 0', 'Number.isSafeInteger(value)', /id -1/],
  ['frames.wrong-ping', 'takes 2^53', 'Number.isSafeInteger(value) && Number(value) >= 0', 'Number.isInteger(value) && Number(value) >= 0', /id 9007199254740992/],
  ['frames.binary', 'reads it as text', "isBinary ? '' : String(data)", 'String(data)', /no error came/],
  ['frames.not-utf8', 'ends all connections', "socket.on('error', () => socket.terminate())", "socket.on('error', () => { for (const each of server.clients) each.terminate() })", /closed with/],
  ['frames.deep', 'answers nothing that is deep', RECEIVE, "const { frame, id, isRight } = read(text)\n    if (text.includes('[[[[[')) return", /no answer to a send nested deep came/],
  ['frames.numbers', 'reads NaN', 'JSON.parse(text)', "JSON.parse(text.replace(/NaN|-?Infinity/, '0'))", /NaN: answered by \{"type":"ok"/],
  ['frames.numbers', 'writes Infinity', 'socket.send(JSON.stringify(frame))', "socket.send(JSON.stringify(frame, (_key, value) => value === Number.POSITIVE_INFINITY ? '@@' : value).replace('\"@@\"', 'Infinity'))", /no message in the room came/],
  ['frames.half-character', 'fails on half a character', RECEIVE, "const { frame, id, isRight } = read(text)\n    if (text.includes('\\\\ud800')) return connection.socket.close(1011)", /closed with 1011/],
  ['frames.valid', 'sends what is no JSON', "this.#reply(connection, { type: 'pong', id })", "this.#reply(connection, { type: 'pong', id }); connection.socket.send('{')", /not JSON/],
  ['frames.valid', 'sends binary frames', "this.#reply(connection, { type: 'pong', id })", "this.#reply(connection, { type: 'pong', id }); connection.socket.send(Buffer.from('{}'))", /binary/],
  ['frames.valid', 'makes codes of its own', "code: 'unknown-method'", "code: 'no-such-method'", /error\.code must be one of/],
  ['frames.no-token', 'says which token was bad', "{ id, code: 'token-refused' }", "{ id, code: 'token-refused', token }", /held a token/],
  ['later.members', 'knows its members', "['ping', () => true]", "['ping', (frame) => Object.keys(frame).length === 2]", /was answered by/],
  ['later.query', 'fails on a strange query', 'const query = queryOf(request)', "const query = queryOf(request)\n    if (query.has('x-later')) return socket.close(1011)", /closed with 1011/],
  ['later.members', 'passes them on', MESSAGE, "this.#reply(member, { type: 'message', room: name, ...stored, 'x-later': frame['x-later'] })", /came through/],
  ['later.types', 'closes over an unknown type', 'const known = id === undefined ? {} : { id }', "const known = id === undefined ? {} : { id }\n    if (id !== undefined && !READERS.has(frame['type'])) return connection.socket.close(1008)", /closed with 1008/],
  ['later.subprotocols', 'looks at the first word only', 'words.has(PROTOCOL) ? PROTOCOL : false', '[...words][0] === PROTOCOL ? PROTOCOL : false', /good dial failed/],
]

/** Bugs that need more than one change. */
const SEVERAL: readonly Mutation[] = [
  {
    of: 'handshake.origin',
    bug: 'lets every page in',
    by: 'cookie',
    edits: [
      ['if (cookieOf(request).length > 0 && isForeign(request)) return socket.close(4403)', ''],
    ],
    says: /was welcomed/,
  },
  {
    of: 'handshake.fence-user',
    bug: 'fences by the client alone',
    edits: [
      ['const key = `${user} ${client}`', 'const key = `${client}`'],
      ['this.#fences.get(`${user} ${client}`)', 'this.#fences.get(`${client}`)'],
    ],
    says: /superseded/,
  },
  {
    of: 'requests.shared-ping',
    bug: 'answers an id once',
    edits: [
      ['version = 0', 'version = 0\n  static ids = new Set<unknown>()'],
      [
        "this.#reply(connection, { type: 'pong', id })",
        "if (!Room.ids.has(id)) this.#reply(connection, { type: 'pong', id }); Room.ids.add(id)",
      ],
    ],
    says: /no answer to a ping came/,
  },
  {
    of: 'requests.pipelined',
    bug: 'drops what comes while it is busy',
    edits: [
      ['version = 0', 'version = 0\n  static busy = false'],
      [
        RECEIVE,
        `${RECEIVE}\n    if (Room.busy) return\n    Room.busy = true; setTimeout(() => { Room.busy = false })`,
      ],
    ],
    says: /no answer to a request among others came/,
  },
  {
    of: 'send.repeated-at-once',
    bug: 'looks up and stores in two steps',
    edits: [
      ['#send(connection: Connection, id', 'async #send(connection: Connection, id'],
      [SEEN, `${SEEN}\n    await new Promise((resolve) => setTimeout(resolve, 1))`],
    ],
    says: /one message id got the seqs/,
  },
  {
    of: 'frames.no-frame',
    bug: 'reads what __proto__ lends',
    edits: [
      [
        'const frame: unknown = JSON.parse(text)',
        'const frame: unknown = Object.assign({}, JSON.parse(text))',
      ],
      [" || !Object.hasOwn(frame, 'type')", ''],
      ["Object.hasOwn(frame, 'id') && isCount", 'isCount'],
    ],
    says: /__proto__.*answered by/,
  },
]

const row = ([of, bug, find, put, says]: Row): Mutation => ({ of, bug, edits: [[find, put]], says })

export const MUTATIONS: readonly Mutation[] = [
  ...[...HANDSHAKE, ...BASICS, ...ROOMS, ...SEND, ...JOINED, ...CALLS].map(row),
  ...[...PRESENCE, ...AUTH, ...LIMITS, ...FRAMES].map(row),
  ...SEVERAL,
]
