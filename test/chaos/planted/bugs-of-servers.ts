/** Bugs of the node server. */
import type { Bug } from './bug.ts'

const ROOMS = 'test/servers/node/rooms'

export const BUGS_OF_SERVERS: readonly Bug[] = [
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
        find: 'const recovered = resume !== undefined && isNext(tail, resume)',
        replace: 'const recovered = resume?.epoch === tail.epoch',
      },
    ],
  },
  {
    name: 'the server resumes whatever the epoch',
    edits: [
      {
        file: `${ROOMS}/member.ts`,
        find: 'const recovered = resume !== undefined && isNext(tail, resume)',
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
