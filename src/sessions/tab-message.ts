/** What tabs say to each other, and whether something is that: any script of the origin may write there. */
import { isObject } from '../core/check.ts'
import { type Edition, editionIn, wordOf } from '../core/edition.ts'
import type { LockWord } from '../shell/tab-locks.ts'
import { type StoredTokens, storedIn } from './token-store.ts'

export type TabMessage =
  /** I hold this, or nothing: does anybody hold more? */
  | { readonly type: 'hello'; readonly edition: Edition | undefined }
  /** This is what counts. `tokens` only where they are shared by message, and only while signed in. */
  | { readonly type: 'state'; readonly edition: Edition; readonly tokens?: StoredTokens }
  /** I am spending the refresh token of this edition, from now on. */
  | { readonly type: 'asking'; readonly edition: Edition | undefined; readonly level: number }
  | { readonly type: 'lock'; readonly word: LockWord }

const TAG = 'authedSocket'

/** Plain data, which every channel can carry. */
export const sealed = (message: TabMessage): object =>
  message.type === 'lock'
    ? { [TAG]: 1, ...message }
    : { [TAG]: 1, ...message, edition: message.edition && wordOf(message.edition) }

/** @returns `undefined` for what no tab of this version says */
export const messageIn = (value: unknown): TabMessage | undefined => {
  if (!isObject(value) || value[TAG] !== 1) return undefined
  const { type, edition: word, tokens, level, word: lockWord } = value
  const edition = editionIn(word)
  if (word !== undefined && !edition) return undefined
  switch (type) {
    case 'hello':
      return { type, edition }
    case 'asking':
      return typeof level === 'number' ? { type, edition, level } : undefined
    case 'state':
      return edition && { type, edition, ...(isObject(tokens) && { tokens: storedIn(tokens) }) }
    case 'lock': {
      const lock = lockWordIn(lockWord)
      return lock && { type, word: lock }
    }
    default:
      return undefined
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 300

const lockWordIn = (value: unknown): LockWord | undefined => {
  if (!isObject(value)) return undefined
  const { type, name, id } = value
  const isType = type === 'claim' || type === 'busy' || type === 'free'
  return isType && isText(name) && isText(id) ? { type, name, id } : undefined
}
