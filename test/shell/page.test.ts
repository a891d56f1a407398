import { describe, expect, it, vi } from 'vitest'
import { watchPage } from '../../src/shell/page.ts'

class FakeDocument extends EventTarget {
  visibilityState = 'hidden'
}

function pageOf() {
  const window = new EventTarget()
  const document = new FakeDocument()
  vi.stubGlobal('document', document)
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
  let nudges = 0
  const news: string[] = []
  const stop = watchPage((what) => {
    nudges += 1
    news.push(what)
  })
  const show = (state: string) => {
    document.visibilityState = state
    document.dispatchEvent(new Event('visibilitychange'))
  }
  return {
    show,
    stop,
    say: (type: string) => window.dispatchEvent(new Event(type)),
    nudges: () => nudges,
    news,
  }
}

describe('watchPage', () => {
  it.each(['online', 'pageshow'])('nudges on %s', (type) => {
    const page = pageOf()
    page.say(type)
    expect(page.nudges()).toBe(1)
  })

  it.each([
    [['online'], ['nudge']],
    [['offline'], []],
    [['offline', 'online'], ['reroute']],
    [
      ['offline', 'offline', 'online', 'online'],
      ['reroute', 'nudge'],
    ],
    [
      ['offline', 'pageshow', 'online'],
      ['nudge', 'reroute'],
    ],
  ])('after %j tells %j', (events, told) => {
    const page = pageOf()
    for (const type of events) page.say(type)
    expect(page.news).toEqual(told)
  })

  it('hears of the network in a worker, which has no document', () => {
    pageOf().stop()
    vi.stubGlobal('document', undefined)
    const worker = new EventTarget()
    vi.stubGlobal('addEventListener', worker.addEventListener.bind(worker))
    const news: string[] = []
    const stop = watchPage((what) => news.push(what))
    worker.dispatchEvent(new Event('offline'))
    worker.dispatchEvent(new Event('online'))
    stop()
    worker.dispatchEvent(new Event('online'))
    expect(news).toEqual(['reroute'])
  })

  it('nudges when the page becomes visible, and not when it is hidden', () => {
    const page = pageOf()
    page.show('hidden')
    expect(page.nudges()).toBe(0)
    page.show('visible')
    expect(page.nudges()).toBe(1)
  })

  it.each(['offline', 'focus', 'pagehide'])('ignores %s', (type) => {
    const page = pageOf()
    page.say(type)
    expect(page.nudges()).toBe(0)
  })

  it('hears nothing any more once it was stopped', () => {
    const page = pageOf()
    page.stop()
    page.stop()
    page.say('online')
    page.say('pageshow')
    page.show('visible')
    expect(page.nudges()).toBe(0)
  })

  it.each(['document', 'addEventListener'])('is silent where there is no %s', (missing) => {
    pageOf().stop()
    vi.stubGlobal(missing, undefined)
    let nudges = 0
    expect(() =>
      watchPage(() => {
        nudges += 1
      })(),
    ).not.toThrow()
    expect(nudges).toBe(0)
  })
})
