/** Thousands of tokens, each of which is recognised wherever a part of it stands. */

/** A part of a signature that is so long is no coincidence; shorter than any block of base64 below. */
const PART = 12

export interface Canary {
  readonly token: string
  /** What it was used for. */
  readonly label: string
}

/** Finds ten thousand tokens in one pass over a text, where `findLeaks` of the contract suite looks for a few. */
export class Canaries {
  readonly #parts = new Map<string, string>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add({ token, label }: Canary): void {
    this.#size += 1
    const signature = token.split('.').at(-1) ?? token
    for (let at = 0; at + PART <= signature.length; at += 1)
      this.#parts.set(signature.slice(at, at + PART), label)
    for (const text of base64Forms(token, signature))
      for (let at = 0; at + PART <= text.length; at += PART)
        this.#parts.set(text.slice(at, at + PART), label)
  }

  /** @returns the labels of all that are in it, as text, percent-encoded or in base64 */
  in(text: string): ReadonlySet<string> {
    const found = new Set<string>()
    for (const each of text.includes('%') ? [text, decoded(text)] : [text])
      for (let at = 0; at + PART <= each.length; at += 1) {
        const label = this.#parts.get(each.slice(at, at + PART))
        if (label !== undefined) found.add(label)
      }
    return found
  }
}

const decoded = (text: string): string =>
  text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)))

/**
 * Of the signature alone, since header and claims are alike. Within a longer text base64 falls on one of three
 * alignments; the ends are cut, since they mix with what is around.
 */
const base64Forms = (token: string, signature: string): string[] =>
  [0, 1, 2].flatMap((shift) => {
    const from = Math.ceil((shift + token.length - signature.length) / 3) * 4
    const to = Math.floor((shift + token.length) / 3) * 4
    const text = btoa('x'.repeat(shift) + token).slice(from, to)
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')]
  })
