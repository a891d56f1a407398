import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './consumer.ts'

interface Entry {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, Entry>>
}

it('names no registry, and pins the content of every package', () => {
  const entries = Object.entries(packages).filter(([path]) => path !== '')
  expect(entries.filter(([, { resolved }]) => resolved).map(([path]) => path)).toEqual([])
  expect(entries.filter(([, { integrity }]) => !integrity).map(([path]) => path)).toEqual([])
})

// npm leaves a platform's binary out of the lockfile when its version is not to be had at that moment;
// from then on `npm ci` refuses the lockfile on every platform.
it('holds the binaries of every platform', () => {
  const installed = Object.keys(packages)
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !installed.some((other) => other.endsWith(`node_modules/${name}`)))
      .map((name) => `${path}: ${name}`),
  )
  expect(missing).toEqual([])
})
