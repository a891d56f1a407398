/** One tab asks, the others wait for its answer. */
import { compareEditions, type Edition, editionIn, latestOf, nameOf } from '../core/edition.ts'
import { TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { patience } from '../shell/patience.ts'
import { randomId } from '../shell/random-id.ts'
import type { TokenAnswer } from './source.ts'
import type { TabGroup } from './tab-group.ts'
import { GIVEN_UP_MS } from './token-family.ts'

/** How long a tab that shows a newer edition may take to hand it over. */
const HAND_OVER_MS = 10_000
const ASK_AGAIN_MS = 500
/** Two that began together try again after this, or up to twice as long. */
const STEP_BACK_MS = 50

type Spend = () => Promise<TokenAnswer | undefined>

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
      const asked = group.asked.of(before)?.at ?? from
      return GIVEN_UP_MS + (level > 0 ? Math.max(asked, from) : asked)
    }
    const waits = patience(dueAt, over)
    const name = `${nameOf(before)}/${level}`
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
  const release = await begin(group, before, level)
  if (!release) return undefined
  group.asking(level)
  try {
    return await spend()
  } catch (error) {
    if (error instanceof TokenRefusedError) group.refused(before)
    throw error
  } finally {
    // Shown before the lock is let go: who gets it next must see it.
    await group.locks.show(group.word)
    release()
  }
}

/**
 * A tab that slept on its lock may wake up while another asks under the next one. So who begins says so where
 * all can look, and then looks itself: of two at least one sees the other, and steps back.
 *
 * @returns what ends the asking; `undefined` when there is nothing to ask any more
 */
const begin = async (
  group: TabGroup,
  before: Edition | undefined,
  level: number,
): Promise<(() => void) | undefined> => {
  for (;;) {
    await catchUp(group, before)
    if (group.mine !== before) return undefined
    const mark = markOf(before, Date.now(), randomId())
    const release = await group.locks.mark(mark)
    const others = (await group.locks.shown()).filter((word) => word !== mark)
    // Nothing is awaited between this look and the word that we ask.
    const asked = group.asked.of(before)
    const byWord = asked && asked.level !== level ? asked.at : 0
    const left =
      Math.max(byWord, ...others.map((word) => markedAt(word, before))) + GIVEN_UP_MS - Date.now()
    if (group.mine === before && left <= 0) return release
    release()
    await newsWithin(group, Math.min(Math.max(left, 0), STEP_BACK_MS * (1 + Math.random())))
  }
}

const markOf = (before: Edition | undefined, at: number, id: string): string =>
  `asking/${nameOf(before)}/${at}/${id}`

/** Since when that mark says that `before` is being asked with, in epoch ms; 0 for another one. */
const markedAt = (word: string, before: Edition | undefined): number => {
  const start = `asking/${nameOf(before)}/`
  return word.startsWith(start) ? Number(word.slice(start.length).split('/')[0]) || 0 : 0
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
