/**
 * JSON for one value, which must have one: `undefined` and functions would vanish without a word.
 *
 * @throws {TypeError} when there is no JSON for it
 */
export function toJson(data: unknown): string {
  let json: string | undefined
  let cause: unknown
  try {
    json = JSON.stringify(data)
  } catch (error) {
    cause = error
  }
  if (json !== undefined) return json
  throw new TypeError(
    'there is no JSON for this data (undefined, function, symbol, BigInt, binary or a cycle): send plain values, or encode it first',
    { cause },
  )
}

/** Buffers would become `{}`, also without a word. */
export const isBinary = (data: unknown): boolean =>
  data instanceof ArrayBuffer || ArrayBuffer.isView(data)
