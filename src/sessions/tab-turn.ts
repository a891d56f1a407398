/** One tab asks, the others wait for its answer. */
import { compareEditions, type Edition, editionIn, latestOf, wordOf } from '../core/edition.ts'
import { TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { patience } from '../shell/patience.ts'
import type { TokenAnswer } from './source.ts'
import type { TabGroup } from './tab-group.ts'

/** A refresh that has not answered for so long is given up: its token may be sent again. */
const GIVEN_UP_MS = 30_000
/** How long a tab that shows a newer edition may take to hand it over. */
const HAND_OVER_MS = 10_000
const ASK_AGAIN_MS = 500

type Spend = () => Promise<TokenAnswer>

/**
 * Runs `spend` unless another tab does, or did. Resolves with what that tab brought as soon as it is heard,
 * whoever holds the lock.
 *
 * @throws {TokenRefusedError} TOKEN_REFUSED, here or in the other tab
 * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: another tab holds a newer token, and is silent
 */
export const inTurn = async (group: TabGroup, spend: Spend): Promise<TokenAnswer> => {
  for (;;) {
    const before = group.mine
    const over = new AbortController()
    const news = whenMoved(group, before, over.signal)
    const own = waitInLine(group, before, over.signal, spend)
    // What comes of it later is nobody's business here: the source has kept it.
    own.catch(() => {})
    const answer = await Promise.race([own, news]).finally(() => over.abort())
    const result = answer ?? group.answer()
    if (result) return result
  }
}

const whenMoved = (
  group: TabGroup,
  before: Edition | undefined,
  over: AbortSignal,
): Promise<undefined> =>
  new Promise((resolve) => {
    const stop = group.onNews(() => {
      if (group.mine !== before) resolve(undefined)
    })
    over.addEventListener('abort', stop)
  })

/**
 * The lock bears the name of the token that is to be spent. Its holder may be frozen with the request on the
 * wire: it is waited for as long as a request is, and then the next lock of this token is for who comes
 * first. So nobody takes a lock from anybody, and the next token starts anew.
 */
const waitInLine = async (
  group: TabGroup,
  before: Edition | undefined,
  over: AbortSignal,
  spend: Spend,
): Promise<TokenAnswer | undefined> => {
  for (let level = 0; ; level++) {
    const from = Date.now()
    const dueAt = () => {
      const asked = group.asked(before)?.at ?? from
      return GIVEN_UP_MS + (level > 0 ? Math.max(asked, from) : asked)
    }
    const waits = patience(dueAt, over)
    const name = `${before ? wordOf(before) : '-'}/${level}`
    try {
      return await group.locks.alone(name, waits.signal, () => {
        waits.stop()
        return spendAlone(group, before, level, spend)
      })
    } catch (error) {
      if (over.aborted || !waits.signal.aborted) throw error
    } finally {
      waits.stop()
    }
  }
}

const spendAlone = async (
  group: TabGroup,
  before: Edition | undefined,
  level: number,
  spend: Spend,
): Promise<TokenAnswer | undefined> => {
  await catchUp(group, before)
  // Nothing is awaited between the look and the word.
  for (let left = leftOf(group, before, level); left > 0; left = leftOf(group, before, level)) {
    await newsWithin(group, left)
    await catchUp(group, before)
  }
  if (group.mine !== before) return undefined
  group.asking(level)
  try {
    return await spend()
  } catch (error) {
    if (error instanceof TokenRefusedError) group.refused(before)
    throw error
  } finally {
    // Shown before the lock is let go: who gets it next must see it.
    await group.locks.show(group.word)
  }
}

/** The lock may come before the message of who had it. What a tab shows is known with the lock. */
const catchUp = async (group: TabGroup, before: Edition | undefined): Promise<void> => {
  const until = Date.now() + HAND_OVER_MS
  for (;;) {
    await group.look()
    if (group.mine !== before) return
    const latest = latestOf((await group.locks.shown()).map(editionIn))
    if (!latest || (before && compareEditions(latest, before) <= 0)) return
    if (Date.now() >= until)
      throw new TokenUnavailableError(
        'another tab holds a newer token and does not answer: it is asked again later',
      )
    group.hello()
    await newsWithin(group, ASK_AGAIN_MS)
  }
}

/**
 * How long to let another one pass, in ms: a tab that slept on its lock wakes up, and finds one asking under the
 * next lock, or the other way round.
 */
const leftOf = (group: TabGroup, before: Edition | undefined, level: number): number => {
  const asked = group.asked(before)
  // Who asked under the same lock has ended.
  if (group.mine !== before || !asked || asked.level === level) return 0
  return asked.at + GIVEN_UP_MS - Date.now()
}

const newsWithin = (group: TabGroup, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const stop = group.onNews(end)
  })
