import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../../src/core/identity.ts'
import { Delivery } from '../../../src/links/delivery.ts'
import type { Order, Terms } from '../../../src/links/order.ts'

const ANN: Identity = { login: 1, since: 1, token: ['ann'] }
const NOBODY: Identity = { login: 1, since: 1 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const WINDOW_MS = 8_000

const make = (ready = new Set<string | undefined>([undefined]), bounds = {}, told = {}) => {
  const written: (string | ArrayBuffer)[] = []
  const terms: Terms = { inFlight: 9, frameBytes: 1_000, rememberMs: WINDOW_MS, ...told }
  const port = {
    bounds: { count: 10, bytes: 100, ...bounds },
    answerMs: 1_000,
    terms,
    identity: ANN,
    epoch: 'e1',
    buffered: 0,
    isReady: ({ room }: Order) => ready.has(room),
    epochOf: () => port.epoch,
    complete: (frame: string | ArrayBuffer, epoch: string | undefined) => `${frame}@${epoch}`,
    write: (frame: string | ArrayBuffer) => {
      written.push(String(frame).split('@')[0] ?? '')
      return true
    },
  }
  const delivery = new Delivery(port)
  let id = 0
  const submit = (frame: string, order: Partial<Order> = {}) => {
    const promise = delivery.submit({
      id: ++id,
      frame,
      identity: ANN,
      answered: true,
      repetition: 'remembered',
      ...order,
    })
    promise.catch(() => {})
    return promise
  }
  return { delivery, submit, written, ready, port }
}

describe('a frame', () => {
  it('that nobody answers is done when it was handed over', async () => {
    const { submit, written } = make()
    await submit('one', { answered: false })
    expect(written).toEqual(['one'])
  })

  it('waits behind the earlier ones of its room, and leaves in their order', async () => {
    const { delivery, submit, written, ready } = make(new Set())
    const sent = [submit('one', { answered: false }), submit('two', { answered: false })]
    ready.add(undefined)
    sent.push(submit('three', { answered: false }))
    expect(written).toEqual([])
    delivery.flush()
    await Promise.all(sent)
    expect(written).toEqual(['one', 'two', 'three'])
  })

  it('of a joined room is not held up by those of a room that is not', async () => {
    const { delivery, submit, written } = make(new Set(['joined']))
    const stuck = submit('one', { room: 'joining' })
    submit('two', { room: 'joined' })
    expect(written).toEqual(['two'])
    delivery.answer(2, undefined)
    delivery.end(new Error('left'))
    await expect(stuck).rejects.toThrow('left')
  })

  it('is settled once: a second answer finds nobody', async () => {
    const { delivery, submit } = make()
    const sent = submit('one')
    expect([delivery.answer(1, 'a'), delivery.refuse(1, new Error('b'))]).toEqual([true, false])
    await expect(sent).resolves.toBe('a')
  })

  it.each([
    ['never', 1_000],
    ['always', 1_000],
    ['remembered', WINDOW_MS],
  ] as const)(
    'without an answer in time, repeated %s, is unknown after %d ms',
    async (repetition, ms) => {
      const { submit } = make()
      let settled = false
      const sent = submit('one', { repetition })
      sent.catch(() => {
        settled = true
      })
      await vi.advanceTimersByTimeAsync(ms - 1)
      expect(settled).toBe(false)
      await vi.advanceTimersByTimeAsync(300)
      await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    },
  )

  it('that was not sent in its own time was not sent', async () => {
    const { submit } = make(new Set())
    const sent = submit('one', { timeoutMs: 100 })
    await vi.advanceTimersByTimeAsync(500)
    await expect(sent).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
  })

  it.each([
    ['sent by somebody known, and remembered', ANN, 'remembered', true],
    ['sent by somebody known, and always repeated', ANN, 'always', true],
    ['sent by somebody known, and never repeated', ANN, 'never', false],
    ['sent by somebody known, and volatile', ANN, 'volatile', false],
    ['sent by nobody known, and remembered', NOBODY, 'remembered', true],
    ['sent by nobody known, and always repeated', NOBODY, 'always', true],
    ['sent by nobody known, and never repeated', NOBODY, 'never', false],
    ['sent by nobody known, and volatile', NOBODY, 'volatile', false],
  ] as const)(
    '%s, goes out again after the socket was lost: %o %s %s',
    async (_, identity, repetition, again) => {
      const { delivery, submit, written, port } = make()
      Object.assign(port, { identity })
      const sent = submit('one', { identity, repetition })
      delivery.interrupted()
      delivery.flush()
      expect(written).toEqual(again ? ['one', 'one'] : ['one'])
      if (again) delivery.answer(1, undefined)
      else await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    },
  )

  it.each([
    ['under another counting of its room', { epoch: 'e2' }, 0],
    ['when the server may have forgotten it', {}, WINDOW_MS * 0.75],
  ])('is not sent again %s: its outcome is unknown', async (_, change, afterMs) => {
    const { delivery, submit, written, port, ready } = make()
    const sent = submit('one')
    delivery.interrupted()
    ready.clear()
    await vi.advanceTimersByTimeAsync(afterMs)
    Object.assign(port, change)
    ready.add(undefined)
    delivery.flush()
    await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    expect(written).toEqual(['one'])
  })

  it('goes out again under the counting that it was first written under', () => {
    const { delivery, submit, port } = make()
    const complete = vi.spyOn(port, 'complete')
    submit('one')
    port.epoch = 'e2'
    port.terms = { ...port.terms }
    delivery.interrupted()
    port.epoch = 'e1'
    delivery.flush()
    expect(complete.mock.calls).toEqual([
      ['one', 'e1'],
      ['one', 'e1'],
    ])
    delivery.answer(1, undefined)
  })

  it('is unknown, not lost, when its window ends without a connection', async () => {
    const { delivery, submit, ready } = make()
    const sent = submit('one')
    ready.clear()
    delivery.interrupted()
    await vi.advanceTimersByTimeAsync(WINDOW_MS + 300)
    await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
  })

  it('that was repeated and then refused is unknown: the first writing may have arrived', async () => {
    const { delivery, submit } = make()
    const [once, twice] = [submit('once'), submit('twice')]
    delivery.refuse(1, new Error('forbidden'))
    delivery.interrupted()
    delivery.flush()
    delivery.refuse(2, new Error('forbidden'))
    await expect(once).rejects.toThrow('forbidden')
    await expect(twice).rejects.toMatchObject({
      code: 'SEND_UNKNOWN',
      cause: new Error('forbidden'),
    })
  })

  it('that the server wants later is sent again then, and everything else waits too', async () => {
    const { delivery, submit, written } = make()
    const sent = submit('one')
    expect([delivery.postpone(1, 500), delivery.postpone(9, 500)]).toEqual([true, false])
    const next = submit('two')
    await vi.advanceTimersByTimeAsync(499)
    expect(written).toEqual(['one'])
    await vi.advanceTimersByTimeAsync(1)
    expect(written).toEqual(['one', 'one', 'two'])
    delivery.answer(1, 'a')
    delivery.answer(2, 'b')
    await expect(Promise.all([sent, next])).resolves.toEqual(['a', 'b'])
  })

  it('waits for the longest pause that this socket was asked for', async () => {
    const { delivery, submit, written } = make()
    for (const frame of ['one', 'two']) submit(frame)
    delivery.postpone(1, 500)
    delivery.postpone(2, 100)
    await vi.advanceTimersByTimeAsync(499)
    expect(written).toEqual(['one', 'two'])
    await vi.advanceTimersByTimeAsync(1)
    expect(written).toEqual(['one', 'two', 'one', 'two'])

    delivery.postpone(1, 5_000)
    delivery.interrupted()
    delivery.flush()
    delivery.postpone(2, 100)
    await vi.advanceTimersByTimeAsync(100)
    expect(written.slice(4)).toEqual(['one', 'two', 'two'])
    for (const id of [1, 2]) delivery.answer(id, undefined)
  })

  it('that was put off and then given up was not sent', async () => {
    const { delivery, submit } = make()
    const sent = submit('one', { timeoutMs: 1_000 })
    delivery.postpone(1, 5_000)
    await vi.advanceTimersByTimeAsync(1_300)
    await expect(sent).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
  })

  it('is volatile: not queued where it cannot leave', async () => {
    const { submit, written } = make(new Set())
    await expect(submit('one', { repetition: 'volatile' })).rejects.toMatchObject({
      code: 'NOT_CONNECTED',
    })
    expect(written).toEqual([])
  })

  it('is volatile: not put off either, but refused as the server said', async () => {
    const { delivery, submit, written } = make()
    const sent = submit('one', { repetition: 'volatile' })
    expect(delivery.postpone(1, 500)).toBe(false)
    delivery.refuse(1, new Error('too many sends'))
    await expect(sent).rejects.toThrow('too many sends')
    expect(written).toEqual(['one'])
  })

  it('that is meant for one socket never waits for the next one, written or not', async () => {
    const { delivery, submit, written } = make(undefined, {}, { inFlight: 1 })
    const first = submit('one', { repetition: 'never' })
    const queued = submit('auth', { repetition: 'socket' })
    const other = submit('two', { repetition: 'never' })
    delivery.interrupted()
    await expect(first).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    await expect(queued).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    delivery.flush()
    delivery.answer(3, 'done')
    expect([written, await other]).toEqual([['one', 'two'], 'done'])
  })

  it('over the limit of the server is refused before it is sent', async () => {
    const { delivery, submit, written } = make(undefined, {}, { frameBytes: 7 })
    await expect(submit('12345')).rejects.toMatchObject({
      code: 'REQUEST_FAILED',
      serverCode: 'too-large',
    })
    submit('1234')
    expect(written).toEqual(['1234'])
    delivery.answer(2, undefined)
  })

  it('waits for an answer when as many are open as the server takes', () => {
    const { delivery, submit, written } = make(undefined, {}, { inFlight: 2 })
    for (const frame of ['one', 'two', 'three', 'four']) submit(frame)
    expect(written).toEqual(['one', 'two'])
    delivery.answer(2, undefined)
    expect(written).toEqual(['one', 'two', 'three'])
    delivery.refuse(1, new Error('no'))
    expect(written).toEqual(['one', 'two', 'three', 'four'])
    delivery.answer(3, undefined)
    delivery.answer(4, undefined)
  })

  it('of one person is never sent by another', async () => {
    const { delivery, submit, written, ready, port } = make(new Set())
    const sent = submit('one')
    ready.add(undefined)
    Object.assign(port, { identity: { login: 2, since: 2, token: ['bob'] } })
    delivery.flush()
    await expect(sent).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    expect(written).toEqual([])
  })

  it.each([
    ['is unknown where it was sent before', true, 'SEND_UNKNOWN'],
    ['was not sent where it waited only', false, 'NOT_CONNECTED'],
  ] as const)('of another person %s', async (_, wasSent, code) => {
    const { delivery, submit, ready, port } = make()
    if (!wasSent) ready.clear()
    const sent = submit('one', { repetition: 'always' })
    delivery.interrupted()
    ready.add(undefined)
    Object.assign(port, { identity: { login: 2, since: 2 } })
    delivery.flush()
    await expect(sent).rejects.toMatchObject({ code })
  })

  it('that is given up leaves the queue, and takes its listener along', async () => {
    const { submit, delivery, written, ready } = make(new Set())
    const controller = new AbortController()
    const sent = submit('one', { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(sent).rejects.toThrow('enough')
    ready.add(undefined)
    delivery.flush()
    expect(written).toEqual([])
  })
})

describe('the outbox', () => {
  it.each([
    ['frames', { count: 2 }, ['a', 'b', 'c']],
    ['bytes', { bytes: 8 }, ['1234', '5678', '9']],
    ['bytes, not characters', { bytes: 8 }, ['€€', '€']],
  ])('is bounded in %s', async (_, bounds, frames) => {
    const { delivery, submit } = make(new Set(), bounds)
    const sent = frames.map((frame) => submit(frame))
    await expect(sent.at(-1)).rejects.toMatchObject({ code: 'OUTBOX_FULL' })
    delivery.end(new Error('over'))
    await expect(sent[0]).rejects.toThrow('over')
  })

  it('has room again once a frame was answered', async () => {
    const { delivery, submit } = make(undefined, { count: 1 })
    const first = submit('one')
    await expect(submit('two')).rejects.toMatchObject({ code: 'OUTBOX_FULL' })
    delivery.answer(1, undefined)
    await first
    const third = submit('three')
    delivery.answer(3, undefined)
    await third
  })
})
