import { setTimeout as pause } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Emitter } from '../../src/shell/emitter.ts'

interface Events {
  a: number
  b: string
  error: unknown
}

function emitterOf() {
  const reported: unknown[] = []
  const heard: number[] = []
  const emitter = new Emitter<Events>(['a', 'b', 'error'], (error, by) => {
    reported.push(error)
    if (by.endsWith("'error'")) return
    // As a socket does: what listeners throw is an event as well.
    emitter.emit('error', error)
  })
  const listener = (payload: number) => {
    heard.push(payload)
  }
  return { emitter, reported, heard, listener }
}

describe('an emitter', () => {
  it('gives the payload of a name to its listeners, in their order', () => {
    const { emitter } = emitterOf()
    const heard: unknown[] = []
    emitter.on('a', (payload) => heard.push(['first', payload]))
    emitter.on('b', (payload) => heard.push(['other', payload]))
    emitter.on('a', (payload) => heard.push(['second', payload]))
    emitter.emit('a', 1)
    emitter.emit('b', 'x')
    expect(heard).toEqual([
      ['first', 1],
      ['second', 1],
      ['other', 'x'],
    ])
  })

  it('adds a listener once, however often it is given', () => {
    const { emitter, heard, listener } = emitterOf()
    emitter.on('a', listener)
    emitter.on('a', listener)
    emitter.emit('a', 1)
    emitter.off('a', listener)
    emitter.emit('a', 2)
    expect(heard).toEqual([1])
    expect(emitter.listenerCount('a')).toBe(0)
  })

  it.each(['off', 'unsubscribe', 'abort'] as const)('forgets a listener by %s', (way) => {
    const { emitter, heard, listener } = emitterOf()
    const controller = new AbortController()
    const unsubscribe = emitter.on('a', listener, { signal: controller.signal })
    emitter.emit('a', 1)
    if (way === 'off') emitter.off('a', listener)
    else if (way === 'unsubscribe') unsubscribe()
    else controller.abort()
    emitter.emit('a', 2)
    expect(heard).toEqual([1])
    expect(emitter.listenerCount('a')).toBe(0)
  })

  it('forgets a listener of `once` by `off`, too', () => {
    const { emitter, heard, listener } = emitterOf()
    emitter.once('a', listener)
    emitter.off('a', listener)
    emitter.emit('a', 1)
    expect(heard).toEqual([])
  })

  it.each(['on', 'once'] as const)('%s with a signal that is aborted adds nothing', (verb) => {
    const { emitter, heard, listener } = emitterOf()
    const unsubscribe = emitter[verb]('a', listener, { signal: AbortSignal.abort() })
    emitter.emit('a', 1)
    unsubscribe()
    expect(heard).toEqual([])
    expect(emitter.listenerCount('a')).toBe(0)
  })

  it('unsubscribes what it subscribed, and not what was subscribed later', () => {
    const { emitter, heard, listener } = emitterOf()
    const controller = new AbortController()
    const unsubscribe = emitter.on('a', listener, { signal: controller.signal })
    unsubscribe()
    emitter.on('a', listener)
    unsubscribe()
    controller.abort()
    emitter.emit('a', 1)
    expect(heard).toEqual([1])
  })

  it('lets go of a signal that lives on', () => {
    const { emitter, listener } = emitterOf()
    let held = 0
    const signal = Object.assign(new EventTarget(), { aborted: false }) as unknown as AbortSignal
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      held += 1
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      held -= 1
      removeEventListener.apply(signal, args)
    }
    for (let round = 0; round < 100; round += 1) emitter.on('a', listener, { signal })()
    emitter.once('a', listener, { signal })
    emitter.emit('a', 1)
    expect(held).toBe(0)
  })

  it('calls a listener of `once` once, also when it causes the event itself', () => {
    const { emitter, heard } = emitterOf()
    emitter.once('a', (payload) => {
      heard.push(payload)
      emitter.emit('a', payload + 1)
    })
    emitter.emit('a', 1)
    expect(heard).toEqual([1])
  })

  it('calls a listener of `once` once, when a listener before it causes the event', () => {
    const { emitter, heard, listener } = emitterOf()
    emitter.on('a', (payload) => {
      if (payload === 1) emitter.emit('a', 2)
    })
    emitter.once('a', listener)
    emitter.emit('a', 1)
    expect(heard).toEqual([2])
  })

  it('does not call what a listener before it has taken off', () => {
    const { emitter, heard, listener } = emitterOf()
    emitter.on('a', () => emitter.off('a', listener))
    emitter.on('a', listener)
    emitter.emit('a', 1)
    expect(heard).toEqual([])
  })

  it('calls what a listener has added from the next event on', () => {
    const { emitter, heard, listener } = emitterOf()
    emitter.on('a', () => emitter.on('a', listener))
    emitter.emit('a', 1)
    emitter.emit('a', 2)
    expect(heard).toEqual([2])
  })

  const FAILURES: [name: string, listener: (failure: Error) => unknown][] = [
    [
      'throws',
      (failure) => {
        throw failure
      },
    ],
    ['is async and throws', async (failure) => Promise.reject(failure)],
    [
      'returns a rejected promise of another realm',
      (failure) => runInNewContext('Promise.reject(failure)', { failure }),
    ],
    [
      'returns a thenable that throws',
      (failure) => ({
        // biome-ignore lint/suspicious/noThenProperty: that is what is tested
        then: () => {
          throw failure
        },
      }),
    ],
  ]
  it.each(FAILURES)('goes on, and reports, when a listener %s', async (_, fail) => {
    const { emitter, heard, listener, reported } = emitterOf()
    const failure = new Error('mine')
    emitter.on('a', () => fail(failure))
    emitter.on('a', listener)
    expect(() => emitter.emit('a', 1)).not.toThrow()
    expect(heard).toEqual([1])
    await pause(1)
    expect(reported).toEqual([failure])
  })

  it.each(FAILURES)('tells its owner alone when an `error` listener %s', async (_, fail) => {
    const { emitter, reported } = emitterOf()
    const heard: unknown[] = []
    emitter.on('error', (error) => {
      heard.push(error)
      return fail(new Error('again'))
    })
    emitter.on('error', (error) => heard.push(error))
    emitter.emit('error', 'first')
    await pause(1)
    expect(heard).toEqual(['first', 'first'])
    expect(reported).toEqual([expect.objectContaining({ message: 'again' })])
  })

  it('is silent when nobody listens, also to errors', () => {
    const { emitter } = emitterOf()
    expect(() => emitter.emit('error', new Error('unheard'))).not.toThrow()
  })

  it.each([undefined, null, 'listener', {}, 1])('refuses %o as a listener', (listener) => {
    const { emitter } = emitterOf()
    for (const verb of ['on', 'once'] as const) {
      expect(() => Reflect.apply(emitter[verb], emitter, ['a', listener])).toThrow(TypeError)
      expect(() => Reflect.apply(emitter[verb], emitter, ['a', listener])).toThrow(/^a: .*function/)
    }
    expect(emitter.listenerCount('a')).toBe(0)
  })
})
