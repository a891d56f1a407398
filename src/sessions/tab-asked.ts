/** Which refresh token was last heard to be on its way, from whatever tab. */
import { type Edition, nameOf } from '../core/edition.ts'

/** By whoever held the lock of this level, since `at`, epoch ms. */
interface Asked {
  readonly level: number
  readonly at: number
}

export class LastAsked {
  #last: (Asked & { readonly name: string }) | undefined

  heard(edition: Edition | undefined, level: number): void {
    this.#last = { name: nameOf(edition), level, at: Date.now() }
  }

  of(edition: Edition | undefined): Asked | undefined {
    return this.#last?.name === nameOf(edition) ? this.#last : undefined
  }
}
