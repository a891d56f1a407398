/** The order of one client's sends in a room, while some are told to come again and others are on their way. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SendFrame } from '../../servers/node/rooms/frames.ts'
import { SendOrder } from '../../servers/node/rooms/send-order.ts'

const IN_FLIGHT = 100

const frame = (n: number, epoch = 'e'): SendFrame => ({
  type: 'send',
  id: n,
  room: 'lobby',
  clientId: 'c',
  data: null,
  epoch,
  n,
})

/** `+n`: told to come again. `n`: comes. */
const told = (story: string): string => {
  const order = new SendOrder(() => IN_FLIGHT)
  return story
    .split(' ')
    .map((step) => {
      const n = Number(step.replace('+', ''))
      const mayBeStored = order.waitFor(frame(n)) === 0
      if (mayBeStored && !step.startsWith('+')) return 'stored'
      order.comesAgain(frame(n), 5)
      return 'again'
    })
    .join(' ')
}

describe('a send', () => {
  it.each([
    ['waits for nothing', '1 2 3', 'stored stored stored'],
    ['waits for one before it', '+1 2 3', 'again again again'],
    ['does not wait for one behind it', '1 +2 1', 'stored again stored'],
    ['comes again in its turn', '+1 2 3 1 2 3', 'again again again stored stored stored'],
    [
      'that is new waits for those that came again',
      '+1 2 1 3 2 3',
      'again again stored again stored stored',
    ],
    // Its client had been told of the first one when it was told of this one, and passed it over.
    ['does not wait for what was given up', '+1 2 2 3', 'again again stored stored'],
    [
      'does not wait for what was given up, new as it is',
      '+1 2 2 3 4',
      'again again stored stored stored',
    ],
    // The first one was refused a second time while those behind it were on their way a second time.
    [
      'waits for one that is refused again',
      '+1 2 3 +1 2 3 1 2 3',
      'again again again again again again stored stored stored',
    ],
    [
      'waits, though the one between is refused',
      '+1 2 3 +1 +2 3 1 2 3',
      'again again again again again again stored stored stored',
    ],
    [
      'waits for one between that is refused again',
      '+1 2 3 1 +2 3 2 3',
      'again again again stored again again stored stored',
    ],
  ])('%s', (_, story, outcome) => {
    expect(told(story)).toBe(outcome)
  })

  it('waits for nothing of another epoch, and of nothing in a room that was left', () => {
    const order = new SendOrder(() => IN_FLIGHT)
    order.comesAgain(frame(1), 5)
    expect(order.waitFor(frame(2, 'f'))).toBe(0)
    expect(order.waitFor(frame(2))).toBeGreaterThan(0)
    order.left('lobby')
    expect(order.waitFor(frame(2))).toBe(0)
  })

  it('is remembered as long as its client may mean it, and not for ever', () => {
    const order = new SendOrder(() => 2)
    for (const n of [1, 2, 3, 4, 5]) order.comesAgain(frame(n), 5)
    // The first one was given up long ago; the second one is one of the last four.
    expect([order.waitFor(frame(2)), order.waitFor(frame(6)) > 0]).toEqual([0, true])
    for (const n of [3, 4, 5]) expect(order.waitFor(frame(n))).toBe(0)
    expect(order.waitFor(frame(6))).toBe(0)
  })

  it('is told a pause that ends no sooner than that of one before it', () => {
    const order = new SendOrder(() => IN_FLIGHT)
    expect(order.comesAgain(frame(1), 60_000)).toBe(60_000)
    expect(order.comesAgain(frame(2), 5)).toBeGreaterThan(30_000)
  })
})

/** A client that repeats in order what it was told to, and gives up what it likes to; lines that are slow both ways. */
class Scene {
  readonly stored: number[] = []
  readonly #order = new SendOrder(() => IN_FLIGHT)
  readonly #toServer: number[] = []
  readonly #toClient: { n: number; again: boolean }[] = []
  readonly #again = new Set<number>()
  readonly #open = new Set<number>()
  #n = 0

  get open(): number {
    return this.#open.size
  }

  submit(): void {
    this.#n += 1
    this.#open.add(this.#n)
    if (this.#again.size > 0) this.#again.add(this.#n)
    else this.#toServer.push(this.#n)
  }

  /** The pause is over. */
  flush(): void {
    this.#toServer.push(...[...this.#again].sort((one, other) => one - other))
    this.#again.clear()
  }

  giveUp(which: number): void {
    const n = [...this.#again][which % Math.max(1, this.#again.size)]
    if (n === undefined) return
    this.#again.delete(n)
    this.#open.delete(n)
  }

  serve(isTooMuch: (n: number) => boolean): void {
    const n = this.#toServer.shift()
    if (n === undefined) return
    const again = this.#order.waitFor(frame(n)) > 0 || isTooMuch(n)
    if (again) this.#order.comesAgain(frame(n), 5)
    else this.stored.push(n)
    this.#toClient.push({ n, again })
  }

  hear(): void {
    const answer = this.#toClient.shift()
    if (answer === undefined || !this.#open.has(answer.n)) return
    if (answer.again) this.#again.add(answer.n)
    else this.#open.delete(answer.n)
  }
}

const steps = fc.array(
  fc.tuple(
    fc.constantFrom(
      'submit',
      'flush',
      'flush',
      'giveUp',
      'serve',
      'refuse',
      'refuse',
      'hear',
      'hear',
    ),
    fc.nat(9),
  ),
  { minLength: 20, maxLength: 120 },
)

describe('whatever is refused, delayed and given up', () => {
  it('is stored in its order, and all of it in the end', () => {
    fc.assert(
      fc.property(steps, (story) => {
        const scene = new Scene()
        for (const [step, which] of story) {
          if (step === 'giveUp') scene.giveUp(which)
          else if (step === 'serve' || step === 'refuse') scene.serve(() => step === 'refuse')
          else scene[step]()
        }
        for (let round = 0; scene.open > 0 && round < 500; round += 1) {
          scene.serve(() => false)
          scene.hear()
          scene.flush()
        }
        expect(scene.open).toBe(0)
        expect(scene.stored).toEqual([...new Set(scene.stored)].sort((one, other) => one - other))
      }),
      { numRuns: 1_000 },
    )
  })
})
