import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { projects } from './scripts/projects.mjs'

const FIRST = projects.flatMap(({ first = [] }) => first)

/** As usual, but for those that are known to take longest. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isFirst = ({ moduleId }: TestSpecification): boolean =>
      FIRST.some((file) => moduleId.endsWith(file))
    // Projects run one after another, so that order within each is all that this changes.
    return [...sorted.filter(isFirst), ...sorted.filter((file) => !isFirst(file))]
  }
}

export default defineConfig({
  test: {
    // A test that is focused by mistake hides all others, so it fails everywhere, not only in CI.
    allowOnly: false,
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    projects: projects.map((project, order) => ({
      extends: true,
      test: {
        name: project.name,
        environment: 'node',
        include: project.typecheck ? [] : project.include,
        exclude: ['**/node_modules/**', '**/.venv/**', '**/dist/**'],
        typecheck: {
          enabled: project.typecheck === true,
          only: project.typecheck === true,
          include: project.typecheck ? project.include : [],
          tsconfig: './test/types/tsconfig.json',
        },
        testTimeout: project.testTimeoutMs,
        hookTimeout: project.testTimeoutMs * 2,
        maxWorkers: project.maxWorkers,
        isolate: project.sharesModules !== true,
        // Projects run one after another: a busy browser must not slow down tests of timing.
        sequence: { groupOrder: order },
        expect: { poll: { timeout: 30_000 } },
        setupFiles: ['./test/support/patience.ts'],
        restoreMocks: true,
        unstubGlobals: true,
        unstubEnvs: true,
      },
    })),
  },
})
