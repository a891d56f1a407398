import type { Connection, ServerState } from './state.ts'

/** setTimeout fires at once beyond this. */
const MAX_TIMER_MS = 2_147_483_647

/** Why says what a stranger's log should say; daphne would drop it, `ws` sends it. */
export function refuseToken(connection: Pick<Connection, 'socket'>, why: string): void {
  connection.socket.close(4003, why)
}

/** Text frames only, as text; a binary frame arrives as undefined. */
export function onText(
  connection: Connection,
  listener: (text: string | undefined, bytes: number) => void,
): void {
  connection.socket.on('message', (data, isBinary) => {
    // `ws` gives a Buffer unless binaryType says otherwise.
    const buffer = data as Buffer
    listener(isBinary ? undefined : buffer.toString('utf8'), buffer.length)
  })
}

export function send(connection: Pick<Connection, 'socket'>, frame: object): void {
  const { socket } = connection
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame))
}

/** The setting is read when the token ends, so that a test may change it on open sockets. */
export function watchExpiry(state: ServerState, connection: Connection, expiresAt: number): void {
  const left = expiresAt - Date.now()
  if (left > MAX_TIMER_MS) return
  const timer = setTimeout(() => {
    if (state.settings.closeAtExpiry) refuseToken(connection, 'token expired')
  }, left)
  connection.socket.on('close', () => clearTimeout(timer))
}
