/** Where a warning goes; the console fits. */
export interface Warner {
  warn(message: string): void
}

/** Tells of errors that nobody listens for: once for each kind of error, and each function that it comes from. */
export class Unheard {
  readonly #told = new Set<string>()

  /** @param by the function, or the listener; `''` where it was nobody's call */
  tell(logger: Warner, by: string, error: unknown): void {
    const { name, message } = error instanceof Error ? error : { name: typeof error, message: '' }
    const key = by + name
    if (this.#told.has(key)) return
    this.#told.add(key)
    logger.warn(`authed-socket: ${by || "nobody listens for 'error'"}: ${name}: ${message}`)
  }
}
