import { parseArgs } from 'node:util'
import { createReferenceServer } from './server.ts'

const { values } = parseArgs({
  options: { port: { type: 'string' }, data: { type: 'string' }, redis: { type: 'string' } },
})
const port = Number(values.port ?? 0)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write('--port takes a number from 0 to 65535\n')
  process.exit(2)
}

const server = await createReferenceServer({
  port,
  ...(values.data === undefined ? {} : { dataDir: values.data }),
  ...(values.redis === undefined ? {} : { redis: values.redis }),
})

function exitAfter(ending: Promise<void>): void {
  ending.then(
    () => process.exit(0),
    () => process.exit(1),
  )
}

process.once('SIGTERM', () => exitAfter(server.retire()))
process.once('SIGINT', () => exitAfter(server.close()))
// The pipe ends when the test that started us dies, however it dies.
process.stdin.on('end', () => exitAfter(server.close())).resume()
process.stdout.write(`${JSON.stringify({ listening: server.port })}\n`)
