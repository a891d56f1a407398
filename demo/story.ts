/** The story that the demo tells: a token ends in the middle of a conversation, and nobody notices. */
import { AuthedSocket, type Message, roomPerSocket, viaSubprotocol } from '../src/index.ts'
import type { Stage } from './stage.ts'

/** A JWT counts in whole seconds, so a life below 2 s may have ended when it arrives. */
const LIFETIME_MS = 3_000
const PATIENCE_MS = 15_000

interface Chat {
  readonly message?: unknown
  readonly username?: unknown
}

/** @throws when the story does not go as it is told here */
export async function play(stage: Stage, tell: (line: string) => void): Promise<void> {
  await stage.settings({ accessLifetimeMs: LIFETIME_MS, closeAtExpiry: true })
  tell(`tokens live ${LIFETIME_MS / 1_000} s here; the server closes the socket when one ends`)

  const session = stage.session((input, init) => {
    tell(`POST ${new URL(String(input)).pathname}`)
    return fetch(input, init)
  })
  const closes: number[] = []
  await using socket = new AuthedSocket({
    url: stage.socketUrl,
    auth: session,
    transmission: viaSubprotocol(),
    protocol: roomPerSocket(),
  })
  socket.on('disconnected', ({ code, reason, willRetry }) => {
    if (!willRetry) return
    closes.push(code)
    tell(`the server closed the socket: ${code}${reason && ` "${reason}"`}`)
  })
  socket.on('statechange', ({ status }) => tell(`status: ${status.state}`))

  await step('sign in', session.login({ username: 'alice', password: 'correct-horse' }))
  tell('signed in as alice')

  const lobby = socket.room('lobby')
  lobby.on('joined', ({ rejoined }) => tell(rejoined ? 'joined lobby again' : 'joined lobby'))
  lobby.on('gap', ({ reason }) => tell(`gap: ${reason} (messages may be missing from here)`))
  const heard = (text: string) =>
    new Promise<void>((resolve) => {
      lobby.on('message', (message: Message<unknown>) => {
        const { message: said, username } = (message.data ?? {}) as Chat
        if (said !== text) return
        tell(`${username} says: ${said}`)
        resolve()
      })
    })

  await step('join the lobby', lobby.join())
  const first = heard('hello')
  await lobby.send({ message: 'hello' })
  await step('hear the first message', first)

  const rejoined = new Promise<void>((resolve) => {
    lobby.on('joined', (event) => event.rejoined && resolve())
  })
  tell('… waiting for the token to end')
  await step('come back with a fresh token', rejoined)
  if (!closes.some((code) => code === 4003 || code === 1008))
    throw new Error(
      `the socket ended with ${closes.join(', ') || 'no code'}, not with 4003 or 1008`,
    )

  const second = heard('still here')
  await lobby.send({ message: 'still here' })
  await step('hear the second message', second)
  await session.logout()
  tell('signed out')
}

async function step<Value>(what: string, promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`did not ${what} within ${PATIENCE_MS / 1_000} s`)),
      PATIENCE_MS,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
