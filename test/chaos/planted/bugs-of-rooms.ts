/** Bugs of the client's rooms and sockets. */
import { type Bug, WINDOWS_END } from './bug.ts'

const SHARED_LINE = 'src/links/shared-line.ts'
const MEMBERSHIP = 'src/core/membership.ts'

export const BUGS_OF_ROOMS: readonly Bug[] = [
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
    name: 'a room goes on as if its window had not ended',
    edits: [
      {
        file: MEMBERSHIP,
        find: '(recovered && seq > last))) return',
        replace: '(recovered && seq > last) || (this.seq = seq) > last)) return',
      },
    ],
    options: WINDOWS_END,
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
        file: 'src/links/room-control.ts',
        find: '    this.membership = undefined\n',
        replace: '',
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
    // Only sockets that are left while their server goes on have any.
    options: { reconnects: 180 },
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
        find: "if (membership.state !== 'refused') this.joins.comeBack(membership)",
        replace:
          "if (membership.state !== 'refused' && membership.room !== 'room-1') this.joins.comeBack(membership)",
      },
    ],
  },
]
