import { describe, expect, it } from 'vitest'
import { Runtime } from '../../src/shell/runtime.ts'

interface Work {
  readonly key: string
}

interface Started {
  readonly key: string
  stopped: number
  /** Reports to the machine that the work belongs to. */
  readonly report: (event: string) => void
}

/** A machine whose state is the list of keys that should run, and whose events are that list, or a word. */
function machineOf(
  hooks: {
    onStart?: (key: string, report: (event: string) => void) => void
    onStop?: (key: string) => void
    onChanged?: (state: string) => void
  } = {},
) {
  const log: string[] = []
  const started: Started[] = []
  const runtime = new Runtime<string, string, Work>({
    initial: '',
    transition: (state, event) => {
      log.push(`event ${event}`)
      return event === state ? state : event
    },
    workOf: (state) => [...state].map((key) => ({ key })),
    start: ({ key }, report) => {
      log.push(`start ${key}`)
      const work: Started = { key, stopped: 0, report }
      started.push(work)
      hooks.onStart?.(key, report)
      return () => {
        log.push(`stop ${key}`)
        work.stopped += 1
        hooks.onStop?.(key)
      }
    },
    changed: (next, previous) => {
      log.push(`changed ${previous}->${next}`)
      hooks.onChanged?.(next)
    },
  })
  return { runtime, log, started }
}

describe('the runtime', () => {
  it('starts what is missing and stops what is no longer wanted', () => {
    const { runtime, log } = machineOf()
    runtime.dispatch('ab')
    runtime.dispatch('bc')
    runtime.dispatch('')
    expect(log.filter((line) => !line.startsWith('event'))).toEqual([
      'start a',
      'start b',
      'changed ->ab',
      'stop a',
      'start c',
      'changed ab->bc',
      'stop b',
      'stop c',
      'changed bc->',
    ])
  })

  it('leaves alone what runs and is still wanted', () => {
    const { runtime, started } = machineOf()
    runtime.dispatch('ab')
    runtime.dispatch('ba')
    expect(started.map(({ key, stopped }) => [key, stopped])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
  })

  it('says nothing when the state stays the same', () => {
    const { runtime, log } = machineOf()
    runtime.dispatch('a')
    runtime.dispatch('a')
    expect(log.filter((line) => line.startsWith('changed'))).toEqual(['changed ->a'])
  })

  it('starts work of one key once, also when it is wanted twice', () => {
    const { runtime, started } = machineOf()
    runtime.dispatch('aa')
    expect(started).toHaveLength(1)
  })

  it('mutes what was stopped, for ever', () => {
    const { runtime, started } = machineOf()
    runtime.dispatch('a')
    runtime.dispatch('')
    started[0]?.report('late')
    expect(runtime.state).toBe('')
    runtime.dispatch('a')
    started[0]?.report('later still')
    expect(runtime.state).toBe('a')
    started[1]?.report('x')
    expect(runtime.state).toBe('x')
  })

  it('stops work once, and never work that was replaced', () => {
    const { runtime, started } = machineOf()
    for (const state of ['a', '', 'a', 'b', '']) runtime.dispatch(state)
    expect(started.map(({ key, stopped }) => `${key}${stopped}`)).toEqual(['a1', 'a1', 'b1'])
  })

  it('handles one event after the other, also those that a change brings up', () => {
    const { runtime, log } = machineOf({
      onChanged: (state) => {
        if (state !== 'a') return
        runtime.dispatch('b')
        log.push('still in a')
        expect(runtime.state).toBe('a')
      },
    })
    runtime.dispatch('a')
    expect(log).toEqual([
      'event a',
      'start a',
      'changed ->a',
      'still in a',
      'event b',
      'stop a',
      'start b',
      'changed a->b',
    ])
  })

  it('lets work report while it is being started, and can stop it then', () => {
    const { runtime, started } = machineOf({
      onStart: (key, report) => {
        if (key === 'a') report('b')
      },
    })
    runtime.dispatch('a')
    expect(runtime.state).toBe('b')
    expect(started.map(({ key, stopped }) => `${key}${stopped}`)).toEqual(['a1', 'b0'])
  })

  it('mutes what reported in time, when an event before it ended that work', () => {
    const { runtime, started, log } = machineOf({
      onChanged: (state) => {
        if (state !== 'ab') return
        runtime.dispatch('c')
        started[0]?.report('from the dead')
      },
    })
    runtime.dispatch('ab')
    expect(runtime.state).toBe('c')
    expect(log).not.toContain('event from the dead')
  })

  it('hears nothing from work whose stop reports', () => {
    const { runtime, started } = machineOf({ onStop: () => started[0]?.report('last words') })
    runtime.dispatch('a')
    runtime.dispatch('')
    expect(runtime.state).toBe('')
  })

  it('goes on after a listener threw', () => {
    let throws = true
    const { runtime } = machineOf({
      onChanged: () => {
        if (throws) throw new Error('listener')
      },
    })
    expect(() => runtime.dispatch('a')).toThrow('listener')
    throws = false
    runtime.dispatch('b')
    expect(runtime.state).toBe('b')
  })
})
