/** An in-process socket and the few answers of a rooms server: only the client is measured. */

const WELCOME = JSON.stringify({
  type: 'welcome',
  version: 1,
  user: 'alice',
  session: 's',
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
  heartbeatMs: 25_000,
  resumeWindowMs: 120_000,
  features: [],
})

const EPOCH = '4b6f2f2e-6a57-4e0b-9f0a-0f6f6a4f7a10'

export class StubSocket {
  static last: StubSocket
  readyState = 0
  binaryType = ''
  bufferedAmount = 0
  joins = 0
  readonly #listeners = new Map<string, ((event: object) => void)[]>()

  constructor() {
    StubSocket.last = this
    setTimeout(() => {
      this.readyState = 1
      this.fire('open', {})
      this.fire('message', { data: WELCOME })
    }, 0)
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  removeEventListener(): void {}

  send(frame: string): void {
    const { type, id, rooms } = JSON.parse(frame)
    if (type !== 'join') return
    this.joins++
    setTimeout(() => {
      for (const { room } of rooms) this.fire('message', { data: joined(room, EPOCH, id) })
    }, 0)
  }

  close(): void {
    this.readyState = 3
  }

  fire(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event)
  }
}

export const joined = (room: string, epoch: string, id?: number): string =>
  JSON.stringify({ type: 'joined', id, room, epoch, seq: 0, recovered: false })

export const message = (room: string, seq: number): string =>
  JSON.stringify({
    type: 'message',
    room,
    seq,
    from: 'alice',
    clientId: '0123456789abcdef0123456789abcdef',
    n: seq,
    at: 1_760_000_000_000,
    data: { text: 'hello', n: seq },
  })
