/** The tokens of a run, so that none of them leaves it in a report. */
import { base64Url } from '../transmissions/base64url.ts'

const SHOWN = '<token>'
/** Shorter parts of a token may be ordinary words. */
const SHORTEST_PART = 16
/** A shorter token would be found in every other word of a server. */
const SHORTEST_TOKEN = 8

export class Secrets {
  readonly #forms = new Set<string>()

  add(token: string): void {
    const parts = token.split('.').filter((part) => part.length >= SHORTEST_PART)
    for (const form of [token, ...parts])
      for (const spelling of spellings(form)) if (spelling !== '') this.#forms.add(spelling)
  }

  /** The text without any token. Not by a RegExp, which would keep its input in `RegExp.$_`. */
  redact(text: string): string {
    // Long ones first, or a part would break the whole apart.
    const forms = [...this.#forms].sort((a, b) => b.length - a.length)
    return forms.reduce((redacted, form) => redacted.split(form).join(SHOWN), text)
  }

  isIn(text: string): boolean {
    return [...this.#forms].some((form) => form.length >= SHORTEST_TOKEN && text.includes(form))
  }
}

/** How a server could send it back. */
function spellings(form: string): readonly string[] {
  const plain = [form, base64Url(form), JSON.stringify(form).slice(1, -1)]
  try {
    return [...plain, encodeURIComponent(form)]
  } catch {
    // Half a surrogate pair, which no transmission carries either.
    return plain
  }
}
