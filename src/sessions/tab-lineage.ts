/** What the other tabs do to the tokens of this one. */
import type { SessionPort, TabsHost } from './tabs-port.ts'
import { type Family, heldOf, isAlive, storedOf } from './token-family.ts'
import type { StoreSlot } from './token-store.ts'

/** The login in force, and the session that lives on it. */
export interface Lineage {
  /** `undefined` after a logout: nothing that is left, not even a cookie, signs in by itself again. */
  family: Family | undefined
  session?: SessionPort
}

/** Where tokens rest: a store that the tabs share, or one of this tab alone, which has to follow. */
export type Rest =
  | { readonly kind: 'shared'; readonly slot: StoreSlot }
  | { readonly kind: 'own'; readonly slot: StoreSlot | undefined }

export const lineageHost = (lineage: Lineage, rest: Rest, forget: () => void): TabsHost => ({
  tokens: () => lineage.family && storedOf(lineage.family),
  stored: async () => {
    const stored = await rest.slot?.read()
    return stored === 'behind' ? undefined : stored
  },
  save(word) {
    rest.slot?.write(lineage.family ? storedOf(lineage.family, word) : null)
  },
  saved: async () => rest.slot?.written,
  held: () => {
    const held = lineage.family?.held
    return held && isAlive(held) ? held : undefined
  },
  adopt(how, tokens) {
    const { family, session } = lineage
    const held = heldOf(tokens)
    if (!held) return
    const isAwaited = family?.wire !== undefined
    // Who waits for a token here takes theirs as the answer; a login is no answer to anything.
    const isAnswer = how === 'renewed' || (how === 'found' && isAwaited)
    const heir: Family = (isAnswer && family) || { obtained: true }
    Object.assign(heir, { refresh: tokens.refresh, held, ...(rest.slot && { stored: true }) })
    lineage.family = heir
    // What stands there is spent: a reload must not find it.
    if (rest.kind === 'own') rest.slot?.write(storedOf(heir, tokens.edition))
    if (!isAnswer) session?.signedIn(held, how === 'switched' ? 'switch' : 'login')
    if (!isAnswer || isAwaited) return
    // The session asks for it by itself, and that must not spend it.
    heir.late = held
    session?.renewed()
  },
  refused: (error) => lineage.session?.refused(error),
  signedOut() {
    lineage.family = undefined
    if (rest.kind === 'own') rest.slot?.write(null)
    forget()
    lineage.session?.signedOut()
  },
})
