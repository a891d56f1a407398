/** Jobs one after another. A job that fails does not hold up the next one. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** No job runs or waits. */
  get isEmpty(): boolean {
    return this.#waiting === 0
  }

  run<Result>(job: () => Promise<Result>): Promise<Result> {
    this.#waiting += 1
    const done = this.#last.then(job).finally(() => {
      this.#waiting -= 1
    })
    this.#last = done.catch(() => {})
    return done
  }
}
