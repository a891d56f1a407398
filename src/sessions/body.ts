/** Bodies of answers: read up to a bound, or not at all. */
import { handled } from '../shell/promises.ts'

/** 1 MiB. The largest answer of a token endpoint is some ten KiB. */
const LIMIT = 1_048_576

/** What `fetch` gives: a stream of the web, one of Node (node-fetch), or none (React Native, mocks). */
type Body = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null | undefined

/**
 * The text of a body.
 *
 * @returns `undefined` beyond 1 MiB; the rest is not received
 */
export const readBody = async (response: Response): Promise<string | undefined> => {
  const body: Body = response.body
  // Typed as always there.
  const Decoder: typeof TextDecoder | undefined = globalThis.TextDecoder
  if (!body || !Decoder) return readWhole(response)
  const decoder = new Decoder()
  let size = 0
  let text = ''
  for await (const chunk of chunksOf(body)) {
    size += chunk.byteLength
    if (size > LIMIT) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** Leaves a body unread, so that its connection is free again. */
export const discardBody = (response: Response): void => {
  handled(Promise.resolve(response.body?.cancel?.()))
}

/** There is no other way to this one than at once; its length may be told before. */
const readWhole = async (response: Response): Promise<string | undefined> => {
  // Typed as always there; mocks have none.
  const headers: Headers | undefined = response.headers
  if (Number(headers?.get('content-length')) > LIMIT) return undefined
  const text = await response.text()
  return text.length > LIMIT ? undefined : text
}

/** Streams of the web cannot be iterated in every browser. Whoever stops here leaves the rest. */
async function* chunksOf(body: NonNullable<Body>): AsyncGenerator<Uint8Array> {
  if (!('getReader' in body)) {
    yield* body
    return
  }
  const reader = body.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    // Nobody waits for it: some never answer.
    handled(reader.cancel())
  }
}
