/**
 * What `npm test` runs, and what may run at the same time.
 *
 * - `STEPS`: each one is a process. One that hangs is ended (run-step.mjs).
 * - `PHASES`: one after another. The lanes of a phase run side by side, the steps of a lane one
 *   after another. Steps that measure time come last, with nothing of weight beside them.
 */
import { join } from 'node:path'
import { projects } from '../projects.mjs'

const node = (...args) => [process.execPath, ...args]
const bin = (name, ...args) => node(join('node_modules', ...BINS[name]), ...args)
const BINS = {
  biome: ['@biomejs', 'biome', 'bin', 'biome'],
  tsc: ['typescript', 'bin', 'tsc'],
  tsup: ['tsup', 'dist', 'cli-default.js'],
  vitest: ['vitest', 'vitest.mjs'],
}
/** Calls one exported function of one module, in a process of its own. */
const call = (module, name) =>
  node(
    '--input-type=module',
    '--eval',
    `import { ${name} } from '${module}'
     await ${name}().then(console.log, (error) => { console.error(error.message); process.exit(1) })`,
  )

// Biome sees CI and colours its output whatever NO_COLOR says.
const colors = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`

/** @param {string} scratch a folder for the reports of vitest */
export const stepsIn = (scratch) => [
  {
    name: 'python',
    command: call('./scripts/python-env.mjs', 'ensurePythonEnv'),
  },
  {
    name: 'chromium',
    command: call('./scripts/chromium.mjs', 'prepareChromium'),
  },
  {
    name: 'services',
    command: call('./scripts/services.mjs', 'ensureServices'),
  },
  {
    name: 'firefox',
    command: call('./scripts/firefox.mjs', 'ensureFirefox'),
    timeoutMs: 240_000,
  },
  {
    name: 'runtime-tools',
    command: call('./scripts/runtimes.mjs', 'ensureRuntimes'),
    timeoutMs: 240_000,
  },
  {
    name: 'lint',
    command: bin('biome', 'ci', '--error-on-warnings', '--max-diagnostics=100', colors, '.'),
  },
  { name: 'typecheck', command: bin('tsc', '--project', 'tsconfig.json') },
  { name: 'build', command: bin('tsup') },
  ...projects.map((project) => vitestStep(project, scratch)),
  // Pages that are generated from the code, and from what the suites saw.
  {
    name: 'docs-drift',
    command: node('--import', 'tsx', 'scripts/docs/state-machine.ts', '--check'),
  },
  { name: 'servers-drift', command: node('scripts/docs-servers.mjs', '--check') },
  { name: 'size', command: node('scripts/size.mjs', '--known') },
]

function vitestStep({ name }, scratch) {
  const report = join(scratch, `${name}.json`)
  return {
    name,
    report,
    command: bin(
      'vitest',
      'run',
      `--project=${name}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ),
  }
}

export const PHASES = [
  // apt, pip and npm take locks of the machine.
  [
    ['python', 'chromium', 'services', 'firefox', 'runtime-tools', 'unit'],
    ['lint', 'typecheck', 'build', 'types', 'docs-drift'],
  ],
  // Beside one that works there is one that waits for servers, pages or silence.
  [['browser'], ['integration']],
  [
    ['chaos', 'package'],
    ['conformance', 'doctor', 'docs'],
  ],
  [
    ['contract', 'runtimes'],
    ['rooms', 'secrecy'],
  ],
  // They measure.
  [['attacks'], ['servers-drift', 'size']],
]

const planned = PHASES.flat(2)
for (const { name } of stepsIn(''))
  if (planned.filter((other) => other === name).length !== 1)
    throw new Error(`scripts/test/steps.mjs: PHASES must name the step ${name} once`)
