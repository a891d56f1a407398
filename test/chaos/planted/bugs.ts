/**
 * Bugs that break the promise, each small enough to be written by mistake. A run that finds one of them
 * breaks a rule of the checker; one that finds none has a hole.
 */
import type { Bug } from './bug.ts'

const DELIVERY = 'src/links/delivery.ts'
const SHARED_LINE = 'src/links/shared-line.ts'
const MEMBERSHIP = 'src/core/membership.ts'
const ROOMS = 'test/servers/node/rooms'

const client: readonly Bug[] = [
  {
    name: 'a send counts as acknowledged when it was written',
    edits: [
      {
        file: DELIVERY,
        find: '    if (!entry.answered) {\n      this.#end(entry.id, undefined)',
        replace: '    if (entry.answered || true) {\n      this.#end(entry.id, undefined)',
      },
    ],
  },
  {
    name: 'a send is repeated under a new id',
    edits: [
      {
        file: DELIVERY,
        find: 'this.#port.write(frame)\n    if (!entry.answered)',
        replace: `this.#port.write(
      entry.writes > 0 ? String(frame).replace('"n":', '"n":9' + entry.writes) : frame,
    )
    if (!entry.answered)`,
      },
    ],
  },
  {
    name: 'no send is repeated',
    edits: [
      {
        file: DELIVERY,
        find: "return repetition === 'remembered' && ageMs < rememberMs * 0.75",
        replace: "return repetition === 'remembered' && ageMs < rememberMs * 0",
      },
    ],
  },
  {
    name: 'a send is repeated under another epoch',
    edits: [
      {
        file: DELIVERY,
        find: 'this.#isRemembered(entry) && entry.first.epoch === this.#port.epochOf(entry.room)',
        replace: 'this.#isRemembered(entry)',
      },
      {
        file: DELIVERY,
        find: 'this.#port.complete(entry.frame, first.epoch)',
        replace: 'this.#port.complete(entry.frame, this.#port.epochOf(entry.room))',
      },
    ],
  },
  {
    name: 'a send whose epoch ended is forgotten',
    edits: [
      {
        file: DELIVERY,
        find: 'else this.#end(entry.id, unknown())\n    }',
        replace: 'else this.#outbox.take(entry.id)\n    }',
      },
    ],
  },
  {
    name: 'sends that wait are given up with the connection',
    edits: [
      {
        file: DELIVERY,
        find: 'if (!known) this.end(lost())',
        replace: 'this.end(lost())',
      },
    ],
  },
  {
    name: 'repeated sends go out in reverse',
    edits: [
      {
        file: 'src/core/outbox.ts',
        find: 'one.id - other.id',
        replace: 'other.id - one.id',
      },
    ],
  },
  {
    name: 'missed messages are thrown away',
    edits: [
      {
        file: SHARED_LINE,
        find: 'of message.messages ?? [])',
        replace: 'of message.messages?.slice(0, 0) ?? [])',
      },
    ],
  },
  {
    name: 'missed messages are delivered in reverse',
    edits: [
      {
        file: SHARED_LINE,
        find: 'of message.messages ?? [])',
        replace: 'of [...(message.messages ?? [])].reverse())',
      },
    ],
  },
  {
    name: 'a room is resumed one message too late',
    edits: [
      {
        file: 'src/links/joins.ts',
        find: 'resume: { epoch, seq }',
        replace: 'resume: { epoch, seq: seq + 1 }',
      },
    ],
  },
  {
    name: 'a room is joined anew instead of resumed',
    edits: [
      {
        file: 'src/links/joins.ts',
        find: '...(epoch && { resume: { epoch, seq } }),',
        replace: '',
      },
    ],
  },
  {
    name: 'a gap is swallowed',
    edits: [
      {
        file: SHARED_LINE,
        find: "if (typeof came === 'object') control.missed(came)",
        replace: '',
      },
    ],
  },
  {
    name: 'a gap is invented at each return',
    edits: [
      {
        file: SHARED_LINE,
        find: "if (typeof came === 'object') control.missed(came)",
        replace: "if (came !== 'new') control.missed({ reason: 'no-recovery' })",
      },
    ],
  },
  {
    name: 'the old number is kept in a new epoch',
    edits: [
      {
        file: MEMBERSHIP,
        find: "return 'recovered'\n    this.seq = seq",
        replace: "return 'recovered'\n    this.seq = Math.max(seq, last)",
      },
    ],
  },
  {
    name: 'own messages are kept from their sender',
    edits: [
      {
        file: SHARED_LINE,
        find: "if (place === 'seen') return",
        replace: "if (place === 'seen' || meta.own) return",
      },
    ],
  },
  {
    name: 'messages of another tab are taken for own ones',
    edits: [
      {
        file: 'src/protocols/rooms-frames.ts',
        find: 'const own = clientId === ownId && from === user',
        replace: 'const own = (clientId === ownId || true) && from === user',
      },
    ],
  },
  {
    name: 'a room goes on after it was left',
    edits: [
      {
        file: SHARED_LINE,
        find: '    control.membership = undefined\n    this.line.end',
        replace: '    this.line.end',
      },
    ],
  },
  {
    name: 'what was on its way to a room that was left goes to who joins it again',
    edits: [
      {
        file: SHARED_LINE,
        find: 'membership?.epoch === undefined) return',
        replace: 'membership === undefined) return',
      },
    ],
  },
  {
    name: 'frames of a socket that was left are still heard',
    edits: [
      {
        file: 'src/shell/dialer.ts',
        find: 'oneShot.onopen = oneShot.onclose = oneShot.onmessage = null',
        replace: 'oneShot.onopen = oneShot.onclose = null',
      },
      {
        file: 'src/links/link.ts',
        find: "incoming.kind !== 'welcome' && !signal.aborted",
        replace: "incoming.kind !== 'welcome'",
      },
      {
        file: SHARED_LINE,
        find: "if (place === 'seen') return",
        replace: '',
      },
    ],
  },
  {
    name: 'every connection has the same number',
    edits: [
      {
        file: 'src/protocols/multiplexed.ts',
        find: "url.searchParams.set('connection', String(this.#connections))",
        replace: "url.searchParams.set('connection', '1')",
      },
    ],
  },
  {
    name: 'one room is not joined again',
    edits: [
      {
        file: SHARED_LINE,
        find: "if (membership.state !== 'refused') this.#joins.want(membership)",
        replace:
          "if (membership.state !== 'refused' && membership.room !== 'room-1') this.#joins.want(membership)",
      },
    ],
  },
]

const server: readonly Bug[] = [
  {
    name: 'the server acknowledges before it stores',
    edits: [
      {
        file: `${ROOMS}/requests.ts`,
        find: '    const data = JSON.stringify(frame.data)\n',
        replace: `    const data = JSON.stringify(frame.data)
    connection.send({ type: 'ok', id })
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (!connection.isOpen) return
`,
      },
    ],
  },
  {
    name: 'the server stores a repetition again',
    edits: [
      {
        file: `${ROOMS}/memory-room.ts`,
        find: 'known.at >= at - keepMs',
        replace: 'known.at > at',
      },
    ],
  },
  {
    name: 'the server knows sends by their number alone',
    edits: [
      {
        file: `${ROOMS}/memory-room.ts`,
        find: `const key = \`\${clientId} \${n} \${user}\``,
        replace: `const key = \`\${n} \${user}\``,
      },
    ],
  },
  {
    name: 'the server accepts sends of a replaced connection',
    edits: [
      {
        file: `${ROOMS}/memory-store.ts`,
        find: 'dialed.connection < fence',
        replace: 'dialed.connection < fence - 1_000',
      },
    ],
  },
  {
    name: 'the server resumes one message too late',
    edits: [
      {
        file: `${ROOMS}/memory-room.ts`,
        find: 'Math.max(0, seq + 1 - first)',
        replace: 'Math.max(0, seq + 2 - first)',
      },
      {
        file: `${ROOMS}/member.ts`,
        find: 'const recovered = isRecovered(tail, resume)',
        replace: 'const recovered = resume?.epoch === tail.epoch',
      },
    ],
  },
  {
    name: 'the server resumes whatever the epoch',
    edits: [
      {
        file: `${ROOMS}/member.ts`,
        find: 'const recovered = isRecovered(tail, resume)',
        replace: 'const recovered = resume !== undefined',
      },
    ],
  },
  {
    name: 'the server remembers five messages',
    edits: [
      {
        file: `${ROOMS}/memory-room.ts`,
        find: 'if (this.#seq % TRIM_EVERY === 0) this.#trim(at - keepMs)',
        replace: 'if (this.#messages.length > 5) this.#messages.shift()',
      },
    ],
  },
  {
    name: 'the server counts anew under the same epoch',
    edits: [
      {
        file: `${ROOMS}/memory-room.ts`,
        find: 'readonly epoch: string = randomUUID()',
        replace: "readonly epoch: string = randomUUID().slice(0, 0) + 'epoch'",
      },
    ],
  },
  {
    name: 'the server tells a joining member one number too much',
    edits: [
      {
        file: `${ROOMS}/member.ts`,
        find: 'const frame = { id, room: this.#room, ...this.#point, recovered, version }',
        replace:
          'const frame = { id, room: this.#room, ...this.#point, seq: this.#point.seq + 1, recovered, version }',
      },
    ],
  },
  {
    name: 'the server answers a join after the first messages',
    edits: [
      {
        file: `${ROOMS}/live-room.ts`,
        find: '    member.enter(request, tail, snapshot, id)\n',
        replace: '    setTimeout(() => member.enter(request, tail, snapshot, id), 10)\n',
      },
    ],
  },
  {
    name: 'the server leaves out the sender',
    edits: [
      {
        file: `${ROOMS}/member.ts`,
        find: '      this.#point.seq = seq\n      this.connection.push(text)\n',
        replace:
          '      this.#point.seq = seq\n      if (!text.includes(this.connection.clientId)) this.connection.push(text)\n',
      },
    ],
  },
  {
    name: 'the server lets sends overtake each other',
    edits: [
      {
        file: `${ROOMS}/requests.ts`,
        find: '        void this.#send(connection, frame)\n',
        replace: '        setTimeout(() => this.#send(connection, frame), Math.random() * 20)\n',
      },
    ],
  },
  {
    name: 'the server refuses what it has stored',
    edits: [
      {
        file: `${ROOMS}/requests.ts`,
        find: "connection.send({ type: 'ok', id, seq: appended.seq })\n        return",
        replace: `if (appended.seq % 20 === 0)
          connection.fail({ id, room, code: 'forbidden', message: 'not today' })
        else connection.send({ type: 'ok', id, seq: appended.seq })
        return`,
      },
    ],
  },
  {
    name: 'the server lets everybody into the forbidden room',
    edits: [
      {
        file: `${ROOMS}/requests.ts`,
        find: 'if (room === FORBIDDEN_ROOM) {',
        replace: "if (room === FORBIDDEN_ROOM + '?') {",
      },
    ],
  },
]

export const BUGS: readonly Bug[] = [...client, ...server]
