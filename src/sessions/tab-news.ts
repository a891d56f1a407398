/** Who came, and who left, where the tabs have one cookie. The last word counts. */
import { isCount, isObject } from '../core/check.ts'
import { watchPage } from '../shell/page.ts'
import { openTabChannel, type TabChannel } from '../shell/tab-channel.ts'
import type { TabNewsLink } from './tabs-port.ts'

interface Word {
  /** `hello`: I know what happened until then, did I miss something? */
  readonly type: 'in' | 'out' | 'hello'
  /** Epoch ms; a later word counts more. */
  readonly at: number
}

const TAG = 'authedSocket'

export class TabNews implements TabNewsLink {
  readonly #host: TabNewsLink
  readonly #channel: TabChannel
  /** What a page finds when it begins is newer than all that was said before: the user may have used a form. */
  #last: Word = { type: 'hello', at: Date.now() }

  constructor(key: string, host: TabNewsLink) {
    this.#host = host
    this.#channel = openTabChannel(`authed-socket:${key}/cookie`, (data) => this.#hear(data))
    // What was said while the page was frozen, or in the cache, may have been missed.
    watchPage(() => this.#say({ type: 'hello', at: this.#last.at }))
  }

  signedIn(): void {
    this.#tell('in')
  }

  signedOut(): void {
    this.#tell('out')
  }

  #tell(type: 'in' | 'out'): void {
    // A clock that was set back must not make the later word the older one.
    this.#last = { type, at: Math.max(Date.now(), this.#last.at + 1) }
    this.#say(this.#last)
  }

  #say(word: Word): void {
    this.#channel.post({ [TAG]: 1, ...word })
  }

  #hear(data: unknown): void {
    const word = wordIn(data)
    if (word === undefined) return
    const { type, at } = word
    if (type === 'hello') {
      if (this.#last.type !== 'hello' && this.#last.at > at) this.#say(this.#last)
      return
    }
    if (at <= this.#last.at) return
    this.#last = word
    if (type === 'in') this.#host.signedIn()
    else this.#host.signedOut()
  }
}

/** @returns `undefined` for what no tab of this version says: any script of the origin may write there */
const wordIn = (value: unknown): Word | undefined => {
  if (!isObject(value) || value[TAG] !== 1) return undefined
  const { type, at } = value
  const isType = type === 'in' || type === 'out' || type === 'hello'
  return isType && isCount(at) && isCount(at + 1) ? { type, at } : undefined
}
