import { type Incoming, type Protocol, roomsOnOneSocket } from '../src/index.ts'

export const house: Protocol = {
  name: 'house',
  rooms: roomsOnOneSocket,
  greets: false,
  acknowledges: false,
  codec: () => ({
    join: (rooms) => JSON.stringify({ op: 'enter', rooms: rooms.map(({ room }) => room) }),
    leave: (room) => JSON.stringify({ op: 'exit', room }),
    send: (room, data) => JSON.stringify({ op: 'say', room, text: data }),
    read: (frame) => meaningOf(JSON.parse(String(frame))),
  }),
}

interface Frame {
  op: string
  room: string
  text: string
  from: string
}

function meaningOf({ op, room, text, from }: Frame): Incoming {
  switch (op) {
    case 'entered':
      return { kind: 'joined', room }
    case 'denied':
      return { kind: 'error', room, code: 'denied', message: text }
    case 'said':
      return { kind: 'message', room, data: text, meta: { sender: from } }
    default:
      return { kind: 'ignored' }
  }
}
