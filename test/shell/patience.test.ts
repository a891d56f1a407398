import { expect, it, vi } from 'vitest'
import { patience } from '../../src/shell/patience.ts'
import { pass, SECOND, sleep, tellStories } from '../support/story.ts'

tellStories()

const over = () => new AbortController()

it('ends when the moment has come, and not before', async () => {
  const at = Date.now() + 30 * SECOND
  const { signal } = patience(() => at, over().signal)
  await pass(29 * SECOND)
  expect(signal.aborted).toBe(false)
  await pass(SECOND)
  expect(signal.aborted).toBe(true)
})

it('goes on while the moment moves on', async () => {
  let at = Date.now() + 30 * SECOND
  const { signal } = patience(() => at, over().signal)
  await pass(20 * SECOND)
  at += 20 * SECOND
  await pass(29 * SECOND)
  expect(signal.aborted).toBe(false)
  await pass(SECOND)
  expect(signal.aborted).toBe(true)
})

it('gives the others a moment after a sleep', async () => {
  const at = Date.now() + 30 * SECOND
  const { signal } = patience(() => at, over().signal)
  await pass(SECOND)
  sleep(8 * 3_600 * SECOND)
  await pass(30 * SECOND)
  expect(signal.aborted).toBe(false)
  await pass(3 * SECOND)
  expect(signal.aborted).toBe(true)
})

it('ends with what it is for, and leaves no timer', async () => {
  const whole = over()
  const { signal } = patience(() => Date.now() + SECOND, whole.signal)
  const { stop } = patience(() => Date.now() + SECOND, whole.signal)
  stop()
  whole.abort()
  expect([signal.aborted, vi.getTimerCount()]).toEqual([true, 0])
  expect(patience(() => Date.now() + SECOND, whole.signal).signal.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})
