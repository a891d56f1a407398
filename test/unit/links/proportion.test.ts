/** Many sends that wait: their work grows with their number, and no part of it holds the thread for long. */
import { describe, expect, it, vi } from 'vitest'
import { Delivery } from '../../../src/links/delivery.ts'
import type { Order } from '../../../src/links/order.ts'

const NOBODY = { login: 1, since: 1 }

const make = (rooms: number, costMs = 0) => {
  const written: number[] = []
  let isOpen = false
  let reads = 0
  const port = {
    bounds: { count: 100_000, bytes: 2 ** 30 },
    answerMs: 1_000,
    get terms() {
      return {
        inFlight: Number.POSITIVE_INFINITY,
        frameBytes: Number.POSITIVE_INFINITY,
        rememberMs: 0,
      }
    },
    identity: NOBODY,
    isReady: () => {
      reads++
      return isOpen
    },
    epochOf: () => undefined,
    complete: (frame: string | ArrayBuffer) => frame,
    buffered: 0,
    write: (frame: string | ArrayBuffer) => {
      written.push(Number(frame))
      if (costMs > 0) vi.setSystemTime(Date.now() + costMs)
      return true
    },
  }
  const delivery = new Delivery(port)
  let id = 0
  const submit = (order: Partial<Order> = {}) => {
    id++
    const room = rooms > 1 ? `room ${id % rooms}` : undefined
    return delivery.submit({
      id,
      frame: String(id),
      identity: NOBODY,
      answered: false,
      repetition: 'remembered',
      room,
      ...order,
    })
  }
  const open = () => {
    isOpen = true
  }
  return { delivery, submit, written, open, reads: () => reads }
}

/** Every entry of a map that anybody looks at: what a search through all that waits costs, whoever has the machine. */
const looksOf = (work: () => void): number => {
  let looks = 0
  const { values } = Map.prototype
  const spy = vi.spyOn(Map.prototype, 'values').mockImplementation(function* (
    this: Map<unknown, unknown>,
  ): MapIterator<unknown> {
    for (const value of values.call(this)) {
      looks++
      yield value
    }
  })
  try {
    work()
  } finally {
    spy.mockRestore()
  }
  return looks
}

type Made = ReturnType<typeof make>

describe.each([
  ['of one socket', 1],
  ['of twenty rooms', 20],
])('sends that wait, %s', (_, rooms) => {
  const fill = (made: Made, count: number) => {
    for (let n = 0; n < count; n++) made.submit().catch(() => {})
  }

  it.each<[string, (made: Made, count: number) => void]>([
    ['are queued', fill],
    [
      'are queued behind others, on a socket that takes sends',
      (made, count) => {
        fill(made, rooms)
        made.open()
        fill(made, count)
      },
    ],
    [
      'are sent',
      (made, count) => {
        fill(made, count)
        made.open()
        made.delivery.flush()
      },
    ],
    [
      'are asked for, room by room',
      (made, count) => {
        fill(made, count)
        for (let room = 0; room < 20; room++) made.delivery.flush(`room ${room}`)
      },
    ],
  ])('%s by work that is in proportion', (_, act) => {
    const work = (count: number) => () => {
      const made = make(rooms)
      act(made, count)
      made.delivery.end(new Error('over'))
    }
    // Four times as many; in a square they would take sixteen times as much.
    expect(looksOf(work(2_000)) / looksOf(work(500))).toBeLessThan(5)
  })
})

describe('a long queue', () => {
  it('leaves in slices, in order, and later sends stay behind', async () => {
    vi.useFakeTimers()
    const { delivery, submit, written, open } = make(1, 1)
    const sent: Promise<unknown>[] = []
    for (let n = 0; n < 200; n++) sent.push(submit())
    open()
    delivery.flush()
    // Each write takes a millisecond of this clock.
    expect(written.length).toBeGreaterThan(5)
    expect(written.length).toBeLessThan(50)
    const volatile = submit({ repetition: 'volatile' }).catch((error: unknown) => error)
    sent.push(submit())
    expect(await volatile).toMatchObject({ code: 'NOT_CONNECTED' })
    let most = 0
    for (let before = written.length; before < 201; before = written.length) {
      await vi.advanceTimersToNextTimerAsync()
      most = Math.max(most, written.length - before)
    }
    await Promise.all(sent)
    expect(most).toBeLessThan(50)
    expect(written).toEqual([...written].sort((one, other) => one - other))
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
})
