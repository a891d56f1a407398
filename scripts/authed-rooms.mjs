/**
 * The two modules `authed_rooms.py` share all but their transport: each is one file, to be copied.
 *
 *   node scripts/authed-rooms.mjs            writes the shared parts of fastapi/ into channels/
 *   node scripts/authed-rooms.mjs --check    fails where they differ
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (name) =>
  fileURLToPath(new URL(`../test/servers/${name}/authed_rooms.py`, import.meta.url))
const SOURCE = at('fastapi')
const COPY = at('channels')
const PART = /# --- the same in both modules, part (\d): .*\n[\s\S]*?# --- end of part \1 ---\n/g

/** @param {string} text */
const partsOf = (text) => [...text.matchAll(PART)].map(([part]) => part)

/** What `COPY` has to be. */
export function wantedCopy() {
  const parts = partsOf(readFileSync(SOURCE, 'utf8'))
  const copy = readFileSync(COPY, 'utf8')
  if (parts.length !== 2 || partsOf(copy).length !== 2)
    throw new Error('each authed_rooms.py has two parts between their marks')
  let next = 0
  return { copy, wanted: copy.replaceAll(PART, () => parts[next++] ?? '') }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { copy, wanted } = wantedCopy()
  if (process.argv[2] !== '--check') writeFileSync(COPY, wanted)
  else if (copy !== wanted) {
    console.error('the shared parts of authed_rooms.py differ: node scripts/authed-rooms.mjs')
    process.exitCode = 1
  }
}
