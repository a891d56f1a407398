/**
 * A real storm: `npm run storm -- --clients 2000 --processes 4 --down 3000`. A server and a front that counts TCP connections
 * run in a process each, the clients in several, as timers of one busy process ring together. The front cuts everybody off,
 * lets nobody in for so long, and then lets all in; once as a rehearsal, and once to count.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { AuthedSocket, plain, viaQuery } from '../src/index.ts'
import { createReferenceServer } from '../test/servers/node/server.ts'

const BIN_MS = 100
const LAG_EVERY_MS = 5

type Command =
  | { readonly do: 'server' }
  | { readonly do: 'front'; readonly target: number }
  | { readonly do: 'clients'; readonly count: number; readonly url: string; readonly token: string }
  /** To the front: cut off and let in nobody for so long; count for so long. To the clients: it begins. */
  | { readonly do: 'storm'; readonly downMs: number; readonly watchMs: number }
  /** To the clients: how many are back? */
  | { readonly do: 'report' }

/** `lagMs`: the longest time for which a process did not come to its timers and sockets. */
interface Counted {
  readonly bins: readonly number[]
  readonly lagMs: number
}

interface Back {
  readonly connected: number
  readonly lagMs: number
}

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
    opened.push(performance.now())
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
    const from = performance.now()
    const lag = monitorEventLoopDelay({ resolution: LAG_EVERY_MS })
    lag.enable()
    isDown = true
    for (const socket of pairs) socket.destroy()
    setTimeout(() => {
      isDown = false
    }, command.downMs)
    setTimeout(() => {
      const bins = Array.from({ length: Math.ceil(command.watchMs / BIN_MS) + 1 }, () => 0)
      const after = opened.filter((at) => at >= from)
      for (const at of after) {
        const bin = Math.floor((at - from) / BIN_MS)
        bins[bin] = (bins[bin] ?? 0) + 1
      }
      say({ bins, lagMs: lag.max / 1e6 } satisfies Counted)
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
  say({})
  const lag = monitorEventLoopDelay({ resolution: LAG_EVERY_MS })
  process.on('message', (command: Command) => {
    if (command.do === 'storm') {
      lag.enable()
      lag.reset()
    } else
      say({
        connected: sockets.filter(({ state }) => state === 'connected').length,
        lagMs: lag.max / 1e6,
      } satisfies Back)
  })
}

interface Size {
  readonly clients: number
  readonly processes: number
  readonly downMs: number
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
    case 'report':
      return undefined
  }
}

const PROGRAM = fileURLToPath(new URL('../node_modules/.cache/storm.mjs', import.meta.url))

/** Children run what users run. With a loader's hooks each import of `ws`, one for each dial, would go through a thread. */
const compile = (): Promise<unknown> =>
  build({
    entryPoints: [fileURLToPath(import.meta.url)],
    outfile: PROGRAM,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  })

const start = (command: Command): ChildProcess => {
  const child = fork(PROGRAM, ['child'])
  child.send(command)
  return child
}

/** What a child says next. */
const heard = async <Answer>(child: ChildProcess): Promise<Answer> => {
  const [answer] = await once(child, 'message')
  return answer as Answer
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const main = async ({ clients, processes, downMs }: Size): Promise<void> => {
  await compile()
  const server = start({ do: 'server' })
  const { port: target, token } = await heard<{ port: number; token: string }>(server)
  const door = start({ do: 'front', target })
  const { port } = await heard<{ port: number }>(door)
  const url = `ws://127.0.0.1:${port}/ws/plain`
  const crowds = Array.from({ length: processes }, (_, n) =>
    start({ do: 'clients', count: shareOf(clients, processes, n), url, token }),
  )
  await Promise.all(crowds.map((child) => heard(child)))
  // All of them have settled.
  await wait(6_000)
  // The first one is a rehearsal: code that never ran before holds a process up longer than the storm does.
  await stormed(downMs, door, crowds)
  const counted = await stormed(downMs, door, crowds)
  const back = await Promise.all(
    crowds.map((child) => {
      child.send({ do: 'report' } satisfies Command)
      return heard<Back>(child)
    }),
  )
  for (const line of reportOf({ clients, processes, downMs }, counted, back)) console.log(line)
  for (const child of [...crowds, door, server]) child.kill('SIGKILL')
}

/** Long enough for all to be back, and settled. */
const stormed = (
  downMs: number,
  door: ChildProcess,
  crowds: readonly ChildProcess[],
): Promise<Counted> => {
  const storm: Command = { do: 'storm', downMs, watchMs: downMs + 20_000 }
  for (const child of [...crowds, door]) child.send(storm)
  return heard<Counted>(door)
}

const shareOf = (clients: number, processes: number, n: number): number =>
  Math.floor(clients / processes) + (n < clients % processes ? 1 : 0)

const reportOf = (
  { clients, processes, downMs }: Size,
  { bins, lagMs }: Counted,
  back: readonly Back[],
): string[] => {
  const connections = bins.reduce((sum, n) => sum + n, 0)
  const connected = back.reduce((sum, one) => sum + one.connected, 0)
  const percent = (n: number) => ((n / clients) * 100).toFixed(1)
  const largest = Math.max(...bins)
  const crowdLag = Math.max(...back.map((one) => one.lagMs))
  return [
    `${clients} clients in ${processes} processes, let in by nobody for ${downMs / 1_000} s: ${connected} are back,`,
    `${(connections / clients).toFixed(2)} TCP connections each, ${percent(largest)} % of the clients in the largest 100 ms, ` +
      `from ${(bins.indexOf(largest) * BIN_MS) / 1_000} s after the loss on.`,
    `The longest that a process was held up: the front ${lagMs.toFixed(0)} ms, the clients ${crowdLag.toFixed(0)} ms.`,
    `In percent, from the loss on: ${bins.slice(0, 60).map(percent).join(' ')}`,
  ]
}

if (process.argv[2] === 'child') {
  process.once('message', (command: Command) => perform(command))
  // A child goes with its parent, however that ends.
  process.once('disconnect', () => process.exit(0))
} else {
  const { values } = parseArgs({
    options: {
      clients: { type: 'string', default: '2000' },
      processes: { type: 'string', default: '4' },
      down: { type: 'string', default: '3000' },
    },
  })
  await main({
    clients: Number(values.clients),
    processes: Number(values.processes),
    downMs: Number(values.down),
  })
}
