type Headers = Readonly<Record<string, string>>

/** Names of headers ignore case, so setting one must not leave the same one, spelled otherwise, beside it. */
export function setHeader(
  headers: Headers,
  name: string,
  make: (before: string | undefined) => string,
): Headers {
  const lower = name.toLowerCase()
  const others: [string, string][] = []
  let before: string | undefined
  for (const entry of Object.entries(headers)) {
    if (entry[0].toLowerCase() === lower) before = entry[1]
    else others.push(entry)
  }
  // Not by assignment: fromEntries makes an own property even of `__proto__`.
  return Object.fromEntries([...others, [name, make(before)]])
}
