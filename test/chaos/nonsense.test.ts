import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('nonsense-program.ts', import.meta.url))
const FRAMES = 100_000
const RETURNS = 10_000

it('100,000 frames of anything, and 10,000 returns of anything, end no process', async () => {
  const seed = Number(process.env['AUTHED_SOCKET_SEED'] ?? Date.now() % 2 ** 31)
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', PROGRAM, `${FRAMES}`, `${RETURNS}`, `${seed}`],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let out = ''
  let trace = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    trace += text
  })
  const [code] = await once(child, 'close')
  expect({ code, trace, seed }).toEqual({ code: 0, trace: '', seed })
  const { frames, returns, errors } = JSON.parse(out)
  expect(frames).toBeGreaterThanOrEqual(FRAMES)
  expect(returns).toBeGreaterThanOrEqual(RETURNS)
  // Most of it was wrong, and was told.
  expect(errors).toBeGreaterThan(RETURNS)
})
