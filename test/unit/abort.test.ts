/** Who aborts is rejected, whatever the reason is, and where the runtime gives none. */
import { describe, expect, it, vi } from 'vitest'
import { AuthedSocket, plain, roomPerSocket, simpleJwt, viaQuery } from '../../src/index.ts'
import { Delivery } from '../../src/links/delivery.ts'
import { abortable } from '../../src/shell/promises.ts'
import { Waiters } from '../../src/shell/waiters.ts'

/** As of `abort-controller`, and of React Native: neither `reason` nor `throwIfAborted`. */
class OldSignal extends EventTarget {
  aborted = false

  abort(): void {
    this.aborted = true
    this.dispatchEvent(new Event('abort'))
  }
}

interface Aborted {
  readonly signal: AbortSignal
  abort(): void
}

const modern = (reason: unknown): Aborted => {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort(reason) }
}

const old = (): Aborted => {
  const signal = new OldSignal()
  // It has what is used of a signal, and lacks what old ones lack.
  return { signal: signal as unknown as AbortSignal, abort: () => signal.abort() }
}

const outbox = () =>
  new Delivery({
    bounds: { count: 9, bytes: 999 },
    answerMs: 1_000,
    terms: {
      inFlight: Number.POSITIVE_INFINITY,
      frameBytes: Number.POSITIVE_INFINITY,
      rememberMs: 0,
    },
    identity: { login: 1, since: 0 },
    isReady: () => false,
    epochOf: () => undefined,
    complete: (frame) => frame,
    write: () => true,
    buffered: 0,
  })

const queued = (signal: AbortSignal) =>
  outbox().submit({
    id: 1,
    frame: 'frame',
    identity: { login: 1, since: 0 },
    answered: false,
    repetition: 'remembered',
    signal,
  })

const neverConnected = () =>
  new AuthedSocket({
    url: 'wss://host.example/',
    auth: () => new Promise(() => {}),
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
  })

const WAYS: readonly [string, (signal: AbortSignal) => Promise<unknown>][] = [
  ['a queued send', queued],
  ['a wait for a state', (signal) => new Waiters().wait(() => undefined, signal)],
  ['a promise that may be given up', (signal) => abortable(new Promise(() => {}), signal)],
  [
    'socket.send() without a connection',
    (signal) => {
      const socket = neverConnected()
      socket.connect()
      return socket.send('x', { signal }).finally(() => socket.disconnect())
    },
  ],
  [
    'session.login()',
    (signal) =>
      simpleJwt({
        obtain: 'https://host.example/obtain',
        refresh: 'https://host.example/refresh',
        fetch: () => new Promise(() => {}),
      }).login({ username: 'ann', password: 'x' }, { signal }),
  ],
  ['socket.connect()', (signal) => neverConnected().connect({ signal })],
  [
    'room.join()',
    (signal) =>
      new AuthedSocket({
        url: 'wss://host.example/{room}',
        auth: () => new Promise(() => {}),
        transmission: viaQuery({ acceptLogging: true }),
        protocol: roomPerSocket(),
      }).join('lobby', { signal }),
  ],
]

const TIMES = ['before', 'meanwhile'] as const
const CASES = WAYS.flatMap(([name, way]) => TIMES.map((time) => ({ name, way, time })))

const outcomeOf = async (
  { way, time }: (typeof CASES)[number],
  { signal, abort }: Aborted,
): Promise<{ resolved: unknown } | { rejected: unknown }> => {
  if (time === 'before') abort()
  const promise = way(signal)
  if (time === 'meanwhile') queueMicrotask(abort)
  return promise.then(
    (resolved) => ({ resolved }),
    (rejected: unknown) => ({ rejected }),
  )
}

describe.each(CASES)('$name, aborted $time', (row) => {
  it.each([
    ['an error', new Error('enough')],
    ['a text', 'enough'],
    ['null', null],
    ['0', 0],
    ['an empty text', ''],
    ['false', false],
  ])('rejects with its reason, which is %s', async (_, reason) => {
    expect(await outcomeOf(row, modern(reason))).toEqual({ rejected: reason })
  })

  it.each([
    ['a signal without a reason of its own', () => modern(undefined)],
    ['a signal of an old runtime', old],
  ])('rejects with an AbortError for %s', async (_, make) => {
    expect(await outcomeOf(row, make())).toMatchObject({ rejected: { name: 'AbortError' } })
  })

  it('rejects with an AbortError where there is no DOMException either', async () => {
    vi.stubGlobal('DOMException', undefined)
    const outcome = await outcomeOf(row, old())
    expect(outcome).toMatchObject({ rejected: { name: 'AbortError' } })
    expect('rejected' in outcome && outcome.rejected).toBeInstanceOf(Error)
  })
})
