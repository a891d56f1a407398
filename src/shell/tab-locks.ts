/** Exclusion among the tabs of an origin, and a word that each of them shows to the others. */
import { abortReason, throwIfAborted } from './abort.ts'

export interface TabLocks {
  /**
   * Does `work` while no other tab does any under this name. When `signal` aborts before it has begun, it
   * never begins, and this rejects.
   */
  alone<Value>(name: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value>
  /** For as long as this tab lives, in place of the word before; resolves once every tab can see it. */
  show(word: string | undefined): Promise<void>
  /** Beside the word that is shown, until it is taken away by calling the result. */
  mark(word: string): Promise<() => void>
  /** The words that tabs show, and their marks: what came before a lock was let go is seen by who gets it next. */
  shown(): Promise<readonly string[]>
}

/** `undefined` in Node 20, in pages without TLS, in Safari before 15.4. */
export const findWebLocks = (): LockManager | undefined => {
  const { navigator } = globalThis as { navigator?: { locks?: LockManager } }
  return navigator?.locks
}

/**
 * The locks of the platform. They end with their tab, and the browser keeps one list of them, so a word that
 * is shown as a lock is known in the order in which locks change hands. Messages have no such order.
 *
 * @see https://w3c.github.io/web-locks/
 */
export class WebTabLocks implements TabLocks {
  readonly #locks: LockManager
  readonly #prefix: string
  #release: () => void = () => {}
  #shown: Promise<void> = Promise.resolve()

  constructor(prefix: string, locks: LockManager) {
    this.#locks = locks
    this.#prefix = prefix
  }

  alone<Value>(name: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    // Its types call what the callback returns a value; a promise is awaited, and holds the lock.
    return this.#locks.request(`${this.#prefix}turn/${name}`, { signal }, work) as Promise<Value>
  }

  show(word: string | undefined): Promise<void> {
    this.#shown = this.#shown.then(async () => {
      const release = this.#release
      this.#release = word === undefined ? () => {} : await this.mark(word)
      release()
    })
    return this.#shown
  }

  mark(word: string): Promise<() => void> {
    return new Promise((resolve) => {
      const held = () => new Promise<void>((release) => resolve(release))
      this.#locks
        .request(`${this.#prefix}shown/${word}`, { mode: 'shared' }, held)
        // A page that is being left gets none.
        .catch(() => resolve(() => {}))
    })
  }

  async shown(): Promise<readonly string[]> {
    const prefix = `${this.#prefix}shown/`
    const { held = [] } = await this.#locks.query()
    return held.flatMap(({ name = '' }) =>
      name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
    )
  }
}

/** What tabs say to each other where there are no locks. */
export interface LockWord {
  readonly type: 'claim' | 'busy' | 'free'
  readonly name: string
  readonly id: string
}

/** How long a claim stands before it is taken. Messages between tabs take a few ms; a busy tab longer. */
const CLAIM_MS = 200

interface Claim {
  readonly name: string
  readonly id: string
  isHeld: boolean
  /** Somebody else goes first, or is at it. */
  beatenBy: 'claim' | 'busy' | undefined
  /** Looks again. */
  wake: () => void
}

/**
 * Where there are no locks: who wants to go says so, and goes when for a moment nobody with a smaller number
 * wants the same. Holds as long as tabs hear each other within that moment. That a tab was killed is not seen.
 */
export class ChannelTabLocks implements TabLocks {
  readonly #claims = new Set<Claim>()
  readonly #post: (word: LockWord) => void
  readonly #newId: () => string

  constructor(post: (word: LockWord) => void, newId: () => string) {
    // A tab does not hear itself, and may ask twice for the same.
    this.#post = (word) => {
      post(word)
      this.hear(word)
    }
    this.#newId = newId
  }

  async alone<Value>(
    name: string,
    signal: AbortSignal,
    work: () => Promise<Value>,
  ): Promise<Value> {
    const id = this.#newId()
    const claim: Claim = { name, id, isHeld: false, beatenBy: undefined, wake: () => {} }
    this.#claims.add(claim)
    try {
      await this.#win(claim, signal)
      this.#post({ type: 'busy', name, id })
      return await work()
    } finally {
      this.#claims.delete(claim)
      // Who was beaten leaves unnoticed: nobody waits for it.
      if (!claim.beatenBy) this.#post({ type: 'free', name, id })
    }
  }

  show(): Promise<void> {
    return Promise.resolve()
  }

  mark(): Promise<() => void> {
    return Promise.resolve(() => {})
  }

  shown(): Promise<readonly string[]> {
    return Promise.resolve([])
  }

  hear({ type, name, id }: LockWord): void {
    for (const claim of [...this.#claims]) {
      const { isHeld, beatenBy } = claim
      if (claim.name !== name || claim.id === id) continue
      if (isHeld || (type === 'claim' && claim.id < id)) {
        // Only who leads answers: many tabs would answer each other without end.
        if (type === 'claim' && !beatenBy)
          this.#post({ type: isHeld ? 'busy' : 'claim', name, id: claim.id })
      } else if (beatenBy !== (type === 'free' ? undefined : type)) {
        claim.beatenBy = type === 'free' ? undefined : type
        claim.wake()
      }
    }
  }

  async #win(claim: Claim, signal: AbortSignal): Promise<void> {
    while (!claim.isHeld) {
      throwIfAborted(signal)
      Object.assign(claim, { beatenBy: undefined })
      this.#post({ type: 'claim', name: claim.name, id: claim.id })
      const since = Date.now()
      const isQuiet = await this.#quiet(claim, signal, CLAIM_MS)
      // A page that slept has heard nothing meanwhile.
      claim.isHeld = isQuiet && !claim.beatenBy && Date.now() - since < 2 * CLAIM_MS
      // Who has claimed and says no more has gone; who is at it says so when it ends.
      if (claim.beatenBy === 'claim') await this.#quiet(claim, signal, 3 * CLAIM_MS)
      while (claim.beatenBy === 'busy') await this.#quiet(claim, signal, undefined)
    }
  }

  /** Until somebody speaks, or so long: then `true`. */
  #quiet(claim: Claim, signal: AbortSignal, ms: number | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', aborted)
        settle()
      }
      const timer =
        ms === undefined
          ? undefined
          : setTimeout(
              end(() => resolve(true)),
              ms,
            )
      const aborted = end(() => reject(abortReason(signal)))
      signal.addEventListener('abort', aborted)
      claim.wake = end(() => resolve(false))
      if (signal.aborted) aborted()
    })
  }
}
