/** What comes to a server in each 100 ms. */
const BIN_MS = 100

export type Load = 'dials' | 'probes' | 'requests'

/** How much of each came in each bin of 100 ms, after `fromMs`. */
export class Bins {
  readonly #bins: Readonly<Record<Load, Uint32Array>>
  readonly #fromMs: number

  constructor(fromMs: number, untilMs: number) {
    const size = Math.ceil((untilMs - fromMs) / BIN_MS) + 1
    const [dials, probes, requests] = [1, 2, 3].map(() => new Uint32Array(size))
    if (!dials || !probes || !requests) throw new Error('three loads')
    this.#bins = { dials, probes, requests }
    this.#fromMs = fromMs
  }

  count(load: Load, at: number): void {
    const bin = Math.floor((at - this.#fromMs) / BIN_MS)
    const bins = this.#bins[load]
    if (bin >= 0) bins[bin] = (bins[bin] ?? 0) + 1
  }

  total(...loads: Load[]): number {
    return this.#sum(loads).reduce((sum, n) => sum + n, 0)
  }

  largest(...loads: Load[]): number {
    return this.#sum(loads).reduce((most, n) => Math.max(most, n), 0)
  }

  #sum(loads: readonly Load[]): Float64Array {
    const sums = new Float64Array(this.#bins.dials.length)
    for (const load of loads)
      for (const [bin, n] of this.#bins[load].entries()) sums[bin] = (sums[bin] ?? 0) + n
    return sums
  }
}
