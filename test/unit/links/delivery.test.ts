import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../../../src/core/identity.ts'
import { Delivery, type Order } from '../../../src/links/delivery.ts'

const ANN: Identity = { login: 1, token: 'ann' }
const NOBODY: Identity = { login: 1 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const make = (ready = new Set<string | undefined>([undefined]), bounds = {}) => {
  const written: (string | ArrayBuffer)[] = []
  const delivery = new Delivery({
    bounds: { count: 10, bytes: 100, ...bounds },
    answerMs: 1_000,
    isReady: ({ room }) => ready.has(room),
    write: (frame) => written.push(frame),
  })
  let id = 0
  const submit = (frame: string, order: Partial<Order> = {}) => {
    const promise = delivery.submit({
      id: ++id,
      frame,
      identity: ANN,
      answered: true,
      repeatable: true,
      ...order,
    })
    promise.catch(() => {})
    return promise
  }
  return { delivery, submit, written, ready }
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
    delivery.flush(ANN)
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
    expect([delivery.answer(1, undefined, 'a'), delivery.answer(1, new Error('b'))]).toEqual([
      true,
      false,
    ])
    await expect(sent).resolves.toBe('a')
  })

  it('without an answer in time is unknown', async () => {
    const { submit } = make()
    const sent = submit('one')
    await vi.advanceTimersByTimeAsync(1_500)
    await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
  })

  it('that was not sent in its own time was not sent', async () => {
    const { submit } = make(new Set())
    const sent = submit('one', { timeoutMs: 100 })
    await vi.advanceTimersByTimeAsync(500)
    await expect(sent).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
  })

  it.each([
    ['sent by somebody known, and repeatable', ANN, true, true],
    ['sent by somebody known, and not repeatable', ANN, false, false],
    ['sent by nobody known', NOBODY, true, false],
  ])(
    '%s, goes out again after the socket was lost: %o %o %s',
    async (_, identity, repeatable, again) => {
      const { delivery, submit, written } = make()
      const sent = submit('one', { identity, repeatable })
      delivery.interrupted(identity)
      delivery.flush(identity)
      expect(written).toEqual(again ? ['one', 'one'] : ['one'])
      if (again) delivery.answer(1, undefined)
      else await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    },
  )

  it('of one person is never sent by another', async () => {
    const { delivery, submit, written, ready } = make(new Set())
    const sent = submit('one')
    ready.add(undefined)
    delivery.flush({ login: 2, token: 'bob' })
    await expect(sent).rejects.toMatchObject({ code: 'NOT_CONNECTED' })
    expect(written).toEqual([])
  })

  it('that is given up leaves the queue, and takes its listener along', async () => {
    const { submit, delivery, written, ready } = make(new Set())
    const controller = new AbortController()
    const sent = submit('one', { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(sent).rejects.toThrow('enough')
    ready.add(undefined)
    delivery.flush(ANN)
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
