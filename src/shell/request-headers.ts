/** The headers of a handshake in Node. Builds for browsers, which send none, have `request-headers.browser.ts`. */
import { mergeCookies } from '../core/cookie-header.ts'
import { setHeader } from '../core/headers.ts'

/**
 * Those that the user gave, and ours, which win; of cookies both are sent.
 *
 * @param given an object, as `ws` takes it, or all that `fetch` takes, as undici does
 */
export const requestHeaders = (
  given: object | undefined,
  own: Readonly<Record<string, string>>,
): object => {
  let headers: Readonly<Record<string, unknown>> = Object.fromEntries(entriesOf(given ?? {}))
  for (const [name, value] of Object.entries(own))
    headers = setHeader(headers, name, (before) =>
      name.toLowerCase() === 'cookie' && before !== undefined
        ? mergeCookies(value, [before].flat().join('; '))
        : value,
    )
  return headers
}

/** `Headers`, or pairs, are walked; what they hold is for the runtime to judge. */
const entriesOf = (given: object): Iterable<readonly [string, unknown]> =>
  Symbol.iterator in given ? (given as Iterable<[string, unknown]>) : Object.entries(given)
