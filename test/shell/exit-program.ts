/**
 * A program that disconnects in one situation, then has nothing left to do: `exit.test.ts` measures how
 * long the SDK keeps it. Prints one line of JSON. Arguments: URL, situation, token.
 */
import { AuthedSocket, plain, viaQuery } from '../../src/index.ts'

const [url = '', situation = '', token = ''] = process.argv.slice(2)

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
/** What holds a process, apart from its pipes. */
const held = () => process.getActiveResourcesInfo().filter((name) => !name.startsWith('Pipe'))

const rejections: unknown[] = []
process.on('unhandledRejection', (reason) => rejections.push(String(reason)))

let freeze: () => void = () => {}
const frozen = new Promise<void>((resolve) => {
  freeze = resolve
})
process.once('message', () => freeze())

const socket = new AuthedSocket({
  url,
  auth: ({ signal }) =>
    situation === 'authenticating'
      ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      : token,
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
})

const states: string[] = []
socket.on('statechange', ({ status }) => states.push(status.state))
socket.connect()
const wanted = situation === 'dead' || situation === 'at-once' ? 'connected' : situation
if (situation !== 'at-once') {
  for (let tries = 0; socket.state !== wanted && tries < 500; tries += 1) await pause(5)
  // The machine dials at once; the socket itself is made a moment later.
  await pause(30)
}
if (situation === 'dead') {
  process.send?.('freeze')
  await frozen
}
// An open channel to the parent is a reason to live.
process.disconnect?.()

const before = socket.state
const since = performance.now()
await socket.disconnect()
const resolvedMs = performance.now() - since
process.on('exit', () => {
  const exitMs = performance.now() - since
  console.log(
    JSON.stringify({ before, after: socket.state, resolvedMs, exitMs, rejections, held: held() }),
  )
})
