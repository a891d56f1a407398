/**
 * 128 random bits, in hex.
 *
 * @throws {TypeError} where there is no crypto
 */
export const randomId = (): string => {
  // Typed as always there; React Native has none.
  const { crypto }: { crypto?: Partial<Crypto> } = globalThis
  if (!crypto?.getRandomValues)
    throw new TypeError('no crypto here: import react-native-get-random-values first')
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
