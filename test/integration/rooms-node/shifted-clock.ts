/** Preloaded with `--import`: the clock of this process is off by `SHIFT_MS`, for `Date` and whoever asks it. */
const SHIFT_MS = Number(process.env['SHIFT_MS'])
const RealDate = globalThis.Date

class ShiftedDate extends RealDate {
  constructor(...given: [] | ConstructorParameters<typeof RealDate>) {
    super(...((given.length === 0 ? [ShiftedDate.now()] : given) as [number]))
  }

  static override now(): number {
    return RealDate.now() + SHIFT_MS
  }
}

globalThis.Date = ShiftedDate as DateConstructor
