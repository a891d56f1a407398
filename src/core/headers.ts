/** Names of headers ignore case, so setting one must not leave the same one, spelled otherwise, beside it. */
export function setHeader<Value>(
  headers: Readonly<Record<string, Value>>,
  name: string,
  make: (before: Value | undefined) => Value,
): Readonly<Record<string, Value>> {
  const lower = name.toLowerCase()
  const others: [string, Value][] = []
  let before: Value | undefined
  for (const entry of Object.entries(headers)) {
    if (entry[0].toLowerCase() === lower) before = entry[1]
    else others.push(entry)
  }
  // Not by assignment: fromEntries makes an own property even of `__proto__`.
  return Object.fromEntries([...others, [name, make(before)]])
}
