#!/usr/bin/env node
/** What `npx authed-socket` runs. */
import { run } from './command.ts'

const readStdin = async (): Promise<string> => {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const piece of process.stdin) text += piece
  return text
}

process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  readStdin,
  print: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(text),
})
