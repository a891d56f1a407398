/**
 * `npm run demo`: a chat page, and a story told in the terminal.
 *
 *   npm run demo                                 plays the story, then serves the page until Ctrl-C
 *   npm run demo -- --once                       plays the story and exits: 0 when it went as told
 *   npm run demo -- --server fastapi|channels    the same on a Python server (the first time: some minutes)
 */
import { parseArgs } from 'node:util'
import { pageListener, scriptTagBuild } from './page.ts'
import { openStage, STAGE_NAMES, type Stage } from './stage.ts'
import { play } from './story.ts'

/** For people at the page: long enough to talk, short enough to see a renewal. */
const PAGE_LIFETIME_MS = 60_000

const { server, once } = readArguments()
const startedAt = performance.now()
const tell = (line: string): void => {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2)
  console.log(`${seconds.padStart(7)} s  ${line}`)
}

let stage: Stage | undefined
try {
  const script = await scriptTagBuild()
  tell(`built the script for the page: ${Math.round(script.length / 1_000)} kB`)
  if (server !== 'node') tell('preparing Python: nothing to do, or some minutes the first time')
  stage = await openStage(server, (config) => pageListener(script, config))
  tell(`started ${stage.title}`)
  await play(stage, tell)
  tell('the story went as told')
  if (once) await stage.close()
  else await stayOpen(stage)
} catch (error) {
  tell(`the story broke: ${error instanceof Error ? error.message : String(error)}`)
  await stage?.close()
  process.exitCode = 1
}

async function stayOpen(open: Stage): Promise<void> {
  await open.settings({ accessLifetimeMs: PAGE_LIFETIME_MS, closeAtExpiry: true })
  console.log(`\nThe chat page: ${open.pageUrl}   (alice or bob, password correct-horse)`)
  console.log('Ctrl-C ends it.')
  const end = (): void => {
    open.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
}

function readArguments(): { server: (typeof STAGE_NAMES)[number]; once: boolean } {
  const usage = `npm run demo -- [--once] [--server ${STAGE_NAMES.join('|')}]`
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        server: { type: 'string', default: 'node' },
      },
    })
    const name = STAGE_NAMES.find((known) => known === values.server)
    if (name !== undefined) return { server: name, once: values.once }
  } catch {
    // An unknown option: the usage says which there are.
  }
  console.error(usage)
  process.exit(2)
}
