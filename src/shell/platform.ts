/** Where the code runs, asked when it matters: a bundle is often loaded in one place and used in another. */

// None of these is everywhere, and the types of one runtime say that they are.
const globals = globalThis as {
  location?: unknown
  process?: { versions?: { node?: string } }
}

/** Node itself, Bun and Deno: request headers can be set. */
export const hasNode = (): boolean => globals.process?.versions?.node !== undefined

/** Pages and their workers: they have an address, and no Node. */
export const isBrowser = (): boolean => globals.location !== undefined && !hasNode()
