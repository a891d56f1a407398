/**
 * A real storm: `npm run storm -- --clients 2000 --down 3000`. A server, a front that counts TCP connections, and the clients
 * run in a process each. The front cuts everybody off, lets nobody in for so long, and then lets all in.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AuthedSocket, plain, viaQuery } from '../src/index.ts'
import { createReferenceServer } from '../test/servers/node/server.ts'

const BIN_MS = 100

type Command =
  | { readonly do: 'server' }
  | { readonly do: 'front'; readonly target: number }
  | { readonly do: 'clients'; readonly count: number; readonly url: string; readonly token: string }
  /** To the front: cut off and let in nobody for so long; then count for so long. */
  | { readonly do: 'storm'; readonly downMs: number; readonly watchMs: number }

const say = (answer: object): void => void process.send?.(answer)

const serve = async (): Promise<void> => {
  const server = await createReferenceServer()
  const { access } = await server.mint({ user: 'alice' })
  say({ port: server.port, token: access })
}

const front = (target: number): void => {
  const pairs = new Set<Socket>()
  const opened: number[] = []
  let isDown = false
  const server = createServer((client) => {
    opened.push(Date.now())
    if (isDown) return void client.resetAndDestroy()
    const behind = connect(target, '127.0.0.1')
    for (const socket of [client, behind]) {
      pairs.add(socket)
      socket.on('error', () => {}).on('close', () => pairs.delete(socket))
    }
    client.pipe(behind).pipe(client)
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => say(server.address() ?? {}))
  process.on('message', (command: Command) => {
    if (command.do !== 'storm') return
    const from = Date.now()
    isDown = true
    for (const socket of pairs) socket.destroy()
    setTimeout(() => {
      isDown = false
    }, command.downMs)
    setTimeout(() => {
      const bins = new Map<number, number>()
      const after = opened.filter((at) => at >= from)
      for (const at of after) {
        const bin = Math.floor((at - from) / BIN_MS)
        bins.set(bin, (bins.get(bin) ?? 0) + 1)
      }
      say({ connections: after.length, largest: Math.max(...bins.values()) })
    }, command.watchMs)
  })
}

const crowd = async (count: number, url: string, token: string): Promise<void> => {
  const sockets = Array.from(
    { length: count },
    () =>
      new AuthedSocket({
        url,
        // Another one each time that it is asked for a fresh one, so that it could be renewed.
        auth: () => token,
        transmission: viaQuery({ acceptLogging: true }),
        protocol: plain(),
      }),
  )
  // Some at a time: the storm is to come later.
  for (let n = 0; n < count; n += 50)
    await Promise.all(sockets.slice(n, n + 50).map((socket) => socket.connect()))
  say({ connected: count })
  process.on('message', () =>
    say({ connected: sockets.filter(({ state }) => state === 'connected').length }),
  )
}

const perform = (command: Command): unknown => {
  switch (command.do) {
    case 'server':
      return serve()
    case 'front':
      return front(command.target)
    case 'clients':
      return crowd(command.count, command.url, command.token)
    case 'storm':
      return undefined
  }
}

const start = (command: Command): ChildProcess => {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { execArgv: ['--import', 'tsx'] })
  child.send(command)
  return child
}

/** What a child says next. */
const heard = async <Answer>(child: ChildProcess): Promise<Answer> => {
  const [answer] = await once(child, 'message')
  return answer as Answer
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const main = async (clients: number, downMs: number): Promise<void> => {
  const server = start({ do: 'server' })
  const { port: target, token } = await heard<{ port: number; token: string }>(server)
  const door = start({ do: 'front', target })
  const { port } = await heard<{ port: number }>(door)
  const url = `ws://127.0.0.1:${port}/ws/plain`
  const crowded = start({ do: 'clients', count: clients, url, token })
  await heard(crowded)
  // All of them have settled.
  await wait(6_000)
  door.send({ do: 'storm', downMs, watchMs: downMs + 20_000 } satisfies Command)
  const { connections, largest } = await heard<{ connections: number; largest: number }>(door)
  crowded.send({})
  const { connected } = await heard<{ connected: number }>(crowded)
  const share = ((largest / clients) * 100).toFixed(1)
  console.log(
    `${clients} clients, let in by nobody for ${downMs / 1_000} s: ${connected} are back,`,
  )
  console.log(
    `${(connections / clients).toFixed(2)} TCP connections each, ${share} % of the clients in the largest 100 ms`,
  )
  for (const child of [crowded, door, server]) child.kill('SIGKILL')
}

if (process.argv[2] === 'child') {
  process.once('message', (command: Command) => perform(command))
  // A child goes with its parent, however that ends.
  process.once('disconnect', () => process.exit(0))
} else {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '2000' },
      down: { type: 'string', default: '3000' },
    },
  })
  await main(Number(values.clients), Number(values.down))
}
