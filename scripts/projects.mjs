/**
 * The vitest projects: which test files exist, how each kind runs, and in which order.
 * `vitest.config.ts` builds the projects from this table, `scripts/test/steps.mjs` has one step for
 * each, and `test/architecture.test.ts` fails for a test file that belongs to none.
 *
 * - `include`: test files, as globs from the root of the repository.
 * - `typecheck`: the files are checked by the compiler and not run.
 * - `testTimeoutMs`: for one test. It ends what hangs, and no test that a busy machine is slow at.
 * - `maxWorkers`: test files that run at the same time.
 * - `sharesModules`: files are run in the same process one after another, so that none loads the modules again. For tests
 *   that leave nothing behind.
 * - `first`: files that take longest, so that none of them begins when all others have ended. Vitest begins with
 *   the largest files.
 */
export const projects = [
  {
    name: 'unit',
    include: ['test/*.test.ts', 'test/{unit,model}/**/*.test.ts'],
    testTimeoutMs: 120_000,
    maxWorkers: 2,
    sharesModules: true,
  },
  {
    name: 'integration',
    include: [
      'test/shell/**/*.test.ts',
      'test/integration/*.test.ts',
      'test/integration/{stories,rooms}/**/*.test.ts',
    ],
    testTimeoutMs: 120_000,
    // They wait for sockets more than they work.
    maxWorkers: 3,
    first: ['rooms/swap', 'closing', 'dead-links'].map(
      (name) => `test/integration/${name}.test.ts`,
    ),
  },
  {
    name: 'docs',
    include: ['test/docs/**/*.test.ts'],
    testTimeoutMs: 120_000,
    maxWorkers: 2,
  },
  {
    name: 'types',
    include: ['test/types/**/*.test-d.ts', 'test/types/**/*.test.ts'],
    typecheck: true,
    testTimeoutMs: 120_000,
    maxWorkers: 1,
  },
  {
    // Rooms on real servers, with Redis and nginx.
    name: 'rooms',
    include: ['test/integration/rooms-*/**/*.test.ts'],
    testTimeoutMs: 120_000,
    // They wait more than they work.
    maxWorkers: 3,
  },
  {
    // The server modules under attack, each attacker in a process of its own.
    name: 'attacks',
    include: ['test/attacks/**/*.test.ts'],
    testTimeoutMs: 120_000,
    // They measure.
    maxWorkers: 1,
  },
  {
    name: 'contract',
    include: ['test/{contract,servers}/**/*.test.ts'],
    testTimeoutMs: 120_000,
    maxWorkers: 2,
  },
  {
    // The conformance kit over the real servers; its own honesty is tested in `test/unit/conformance`.
    name: 'conformance',
    include: ['test/conformance/**/*.test.ts'],
    testTimeoutMs: 120_000,
    // They wait for silence.
    maxWorkers: 3,
  },
  {
    // They wait for their faults.
    name: 'chaos',
    include: ['test/chaos/**/*.test.ts'],
    testTimeoutMs: 300_000,
    maxWorkers: 2,
    first: ['test/chaos/conservation.test.ts'],
  },
  {
    // Tokens that are looked for wherever they could be seen.
    name: 'secrecy',
    include: ['test/secrecy/**/*.test.ts'],
    testTimeoutMs: Number(process.env['AUTHED_SOCKET_SECRECY_MS'] ?? 120_000),
    // They wait for servers and a page.
    maxWorkers: 3,
  },
  {
    name: 'doctor',
    include: ['test/doctor/**/*.test.ts'],
    testTimeoutMs: 120_000,
    maxWorkers: 2,
  },
  {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    testTimeoutMs: 120_000,
    maxWorkers: 2,
    first: ['test/browser/contract.test.ts'],
  },
  {
    // The built package in runtimes of other makers. They wait for processes that start.
    name: 'runtimes',
    // All that the registries bring, which `npm run test:matrix` asks for, takes a minute more.
    include: [`test/runtimes/**/*.${process.env.AUTHED_SOCKET_RUNTIMES ?? 'test'}.ts`],
    testTimeoutMs: 60_000,
    maxWorkers: 2,
    stepTimeoutMs: 240_000,
  },
  {
    name: 'package',
    include: ['test/package/**/*.test.ts'],
    testTimeoutMs: 120_000,
    maxWorkers: 2,
    first: ['test/package/types.test.ts'],
  },
]
