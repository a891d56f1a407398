/**
 * The vitest projects: which test files exist, how each kind runs, and in which order.
 * `vitest.config.ts` builds the projects from this table, `scripts/test/steps.mjs` has one step for
 * each, and `test/architecture.test.ts` fails for a test file that belongs to none.
 *
 * - `include`: test files, as globs from the root of the repository.
 * - `typecheck`: the files are checked by the compiler and not run.
 * - `testTimeoutMs`: for one test.
 * - `maxWorkers`: test files that run at the same time.
 * - `stepTimeoutMs`: for the whole project in `npm test`.
 */
export const projects = [
  {
    name: 'fast',
    include: [
      'test/*.test.ts',
      'test/{unit,model,shell,protocols,sessions,transmissions,support}/**/*.test.ts',
      'test/integration/*.test.ts',
      'test/integration/{stories,rooms}/**/*.test.ts',
    ],
    testTimeoutMs: 10_000,
    maxWorkers: 2,
    stepTimeoutMs: 300_000,
  },
  {
    name: 'docs',
    include: ['test/docs/**/*.test.ts'],
    testTimeoutMs: 60_000,
    maxWorkers: 2,
    stepTimeoutMs: 180_000,
  },
  {
    name: 'types',
    include: ['test/types/**/*.test-d.ts', 'test/types/**/*.test.ts'],
    typecheck: true,
    testTimeoutMs: 60_000,
    maxWorkers: 1,
    stepTimeoutMs: 120_000,
  },
  {
    // Rooms on real servers, with Redis and nginx.
    name: 'rooms',
    include: ['test/integration/rooms-*/**/*.test.ts'],
    testTimeoutMs: 60_000,
    // They wait more than they work.
    maxWorkers: 3,
    stepTimeoutMs: 240_000,
  },
  {
    // The server modules under attack, each attacker in a process of its own.
    name: 'attacks',
    include: ['test/attacks/**/*.test.ts'],
    testTimeoutMs: 60_000,
    // They measure.
    maxWorkers: 1,
    stepTimeoutMs: 240_000,
  },
  {
    name: 'contract',
    include: ['test/{contract,servers}/**/*.test.ts'],
    testTimeoutMs: 60_000,
    maxWorkers: 2,
    stepTimeoutMs: 300_000,
  },
  {
    // The conformance kit over the real servers; its own honesty is tested in `test/unit/conformance`.
    name: 'conformance',
    include: ['test/conformance/**/*.test.ts'],
    testTimeoutMs: 120_000,
    // They wait for silence.
    maxWorkers: 3,
    stepTimeoutMs: 400_000,
  },
  {
    // One file at a time: each has its own servers and tens of clients.
    name: 'chaos',
    include: ['test/chaos/**/*.test.ts'],
    testTimeoutMs: 180_000,
    maxWorkers: 1,
    stepTimeoutMs: 600_000,
  },
  {
    // Tokens that are looked for wherever they could be seen.
    name: 'secrecy',
    include: ['test/secrecy/**/*.test.ts'],
    testTimeoutMs: Number(process.env['AUTHED_SOCKET_SECRECY_MS'] ?? 60_000),
    // They wait for servers and a page.
    maxWorkers: 3,
    stepTimeoutMs: 180_000,
  },
  {
    name: 'doctor',
    include: ['test/doctor/**/*.test.ts'],
    testTimeoutMs: 60_000,
    maxWorkers: 2,
    stepTimeoutMs: 180_000,
  },
  {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    testTimeoutMs: 60_000,
    maxWorkers: 2,
    stepTimeoutMs: 400_000,
  },
  {
    name: 'package',
    include: ['test/package/**/*.test.ts'],
    testTimeoutMs: 60_000,
    maxWorkers: 1,
    stepTimeoutMs: 180_000,
  },
]
