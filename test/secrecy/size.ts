/** How many tokens, and which: `AUTHED_SOCKET_CANARIES`, `AUTHED_SOCKET_SEED`. */
import { seeded } from '../support/seeded.ts'

export const CANARIES = Number(process.env['AUTHED_SOCKET_CANARIES'] ?? 500)
const SEED = Number(process.env['AUTHED_SOCKET_SEED'] ?? 1)

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Draws what is the same for the same seed. `part` keeps the files of this folder apart. */
export const chance = (part: number) => {
  const random = seeded(SEED * 1_000 + part)
  const below = (count: number): number => Math.floor(random() * count)
  return {
    pick: <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item,
    /** In the form of a JWT, and worth nothing. */
    garbage: (): string => {
      const signature = Array.from({ length: 43 }, () => LETTERS[below(LETTERS.length)]).join('')
      return `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.${signature}`
    },
  }
}

/** So many at the same time. */
export async function eachOf<Item>(
  items: readonly Item[],
  atOnce: number,
  run: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++)
      await run(items[index] as Item, index)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
