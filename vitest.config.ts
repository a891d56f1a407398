import { defineConfig } from 'vitest/config'
import { projects } from './scripts/projects.mjs'

export default defineConfig({
  test: {
    // A test that is focused by mistake hides all others, so it fails everywhere, not only in CI.
    allowOnly: false,
    passWithNoTests: false,
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
          tsconfig: './tsconfig.json',
        },
        testTimeout: project.testTimeoutMs,
        hookTimeout: project.testTimeoutMs * 2,
        maxWorkers: project.maxWorkers,
        // Projects run one after another: a busy browser must not slow down tests of timing.
        sequence: { groupOrder: order },
        restoreMocks: true,
        unstubGlobals: true,
        unstubEnvs: true,
      },
    })),
  },
})
