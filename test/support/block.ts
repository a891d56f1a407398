/** Holds the thread, as work would: neither timers nor frames have a turn. Leaves the processor to others. */
export const block = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
