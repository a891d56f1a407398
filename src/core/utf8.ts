/** Text in UTF-8 without a `TextEncoder`, which some runtimes lack. */

/** Bytes of the text; half a surrogate pair is U+FFFD, as encoders have it. */
export const utf8Size = (text: string): number => {
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const isPair = code >> 10 === 0x36 && text.charCodeAt(i + 1) >> 10 === 0x37
    // The second half adds nothing but its index.
    if (isPair) i++
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : isPair ? 4 : 3
  }
  return size
}
