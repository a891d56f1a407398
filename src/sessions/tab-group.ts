/**
 * One tab among those that share a session: tells what changes here, and takes over what changes elsewhere.
 * Which word counts is decided in core/edition.ts.
 */
import {
  type Author,
  compareEditions,
  type Edition,
  editionIn,
  editionOfLogin,
  editionOfLogout,
  meet,
  refused,
  renewed,
  wordOf,
} from '../core/edition.ts'
import type { Entrance } from '../core/identity.ts'
import { TokenRefusedError } from '../errors.ts'
import { watchLeaving, watchPage } from '../shell/page.ts'
import { randomId } from '../shell/random-id.ts'
import { openTabChannel, type TabChannel } from '../shell/tab-channel.ts'
import { ChannelTabLocks, findWebLocks, type TabLocks, WebTabLocks } from '../shell/tab-locks.ts'
import type { TokenAnswer } from './source.ts'
import { LastAsked } from './tab-asked.ts'
import { messageIn, sealed, type TabMessage } from './tab-message.ts'
import type { TabsHost } from './tabs-port.ts'
import { heldOf } from './token-family.ts'
import type { StoredTokens } from './token-store.ts'

/** Another tab may still be writing: looked for again after 50 ms, then after twice as long, … */
const LOOKS = 6
const LOOK_MS = 50
/** Of all tabs that could answer, the first one does: the others hear it in time. */
const ANSWER_MS = [10, 60] as const

export class TabGroup {
  readonly locks: TabLocks
  readonly asked = new LastAsked()
  readonly #host: TabsHost
  readonly #byMessage: boolean
  readonly #channel: TabChannel
  readonly #id = randomId()
  readonly #news = new Set<() => void>()
  #mine: Edition | undefined
  #answering: ReturnType<typeof setTimeout> | undefined

  constructor(key: string, byMessage: boolean, host: TabsHost) {
    this.#host = host
    this.#byMessage = byMessage
    const prefix = `authed-socket:${key}`
    this.#channel = openTabChannel(prefix, (data) => this.#hear(data))
    const locks = findWebLocks()
    this.locks = locks
      ? new WebTabLocks(`${prefix}/`, locks)
      : new ChannelTabLocks((word) => this.#say({ type: 'lock', word }), randomId)
    watchLeaving(() => this.locks.show(undefined))
    watchPage(() => this.#back())
    this.hello()
  }

  get mine(): Edition | undefined {
    return this.#mine
  }

  /** For the store, so that a tab knows what it reads there. */
  get word(): string | undefined {
    return this.#mine && wordOf(this.#mine)
  }

  signedIn(how?: Entrance): void {
    this.#publish(editionOfLogin(this.#mine, this.#author(), how))
  }

  renewed(): void {
    if (this.#mine?.state === 'held') this.#publish(renewed(this.#mine, this.#id))
    else this.signedIn()
  }

  /** The token of `before` was refused; of no weight where another tab has renewed it meanwhile. */
  refused(before: Edition | undefined): void {
    const edition = refused(before ?? editionOfLogin(undefined, this.#author()), this.#id)
    if (!this.#mine || compareEditions(edition, this.#mine) > 0) this.#publish(edition)
  }

  signedOut(): void {
    this.#publish(editionOfLogout(this.#mine, this.#author()))
  }

  /** The refresh token of this edition is on its way from here. */
  asking(level: number): void {
    this.asked.heard(this.#mine, level)
    this.#say({ type: 'asking', edition: this.#mine, level })
  }

  /** Takes what stands in the store, where the tabs share one. */
  async look(): Promise<void> {
    if (this.#byMessage) return
    const stored = await this.#host.stored()
    if (stored) this.found(stored)
  }

  /** @returns whether something else counts now */
  found(stored: StoredTokens): boolean {
    const before = this.#mine
    const edition = editionIn(stored.edition)
    if (edition) this.#take(edition, stored)
    return this.#mine !== before
  }

  hello(): void {
    this.#say({ type: 'hello', edition: this.#mine })
  }

  /** Calls back whenever something else counts than before. */
  onNews(listener: () => void): () => void {
    this.#news.add(listener)
    return () => this.#news.delete(listener)
  }

  /** What the edition that counts means to who asked for a token; `undefined`: ask. */
  answer(): TokenAnswer | undefined {
    if (this.#mine?.state === 'refused') throw refusal()
    return this.#mine?.state === 'out' ? { kind: 'signed-out' } : this.#host.held()
  }

  #author(): Author {
    return { by: this.#id, at: Date.now(), login: randomId() }
  }

  #publish(edition: Edition): void {
    this.#move(edition)
    this.#tell()
    this.#announce()
  }

  #move(edition: Edition): void {
    this.#mine = edition
    this.#told()
    this.locks.show(wordOf(edition))
  }

  #announce(): void {
    for (const listener of [...this.#news]) listener()
  }

  #tell(): void {
    const edition = this.#mine
    if (!edition) return
    const tokens = this.#byMessage && edition.state === 'held' ? this.#host.tokens() : undefined
    const tell = () => this.#say({ type: 'state', edition, ...(tokens && { tokens }) })
    // Who hears of it looks into the store; it is written in this turn.
    if (this.#byMessage) tell()
    else
      Promise.resolve()
        .then(() => this.#host.saved())
        .then(tell)
  }

  #say(message: TabMessage): void {
    this.#channel.post(sealed(message))
  }

  #hear(data: unknown): void {
    const message = messageIn(data)
    switch (message?.type) {
      case 'hello':
        this.#meetBehind(message.edition)
        break
      case 'asking':
        this.asked.heard(message.edition, message.level)
        break
      case 'state':
        if (this.#byMessage || message.edition.state !== 'held')
          this.#take(message.edition, message.tokens)
        else this.#lookFor(message.edition)
        break
      case 'lock': {
        const { word } = message
        if (word.type === 'claim')
          this.#meetBehind(editionIn(word.name.slice(0, word.name.lastIndexOf('/'))))
        if (this.locks instanceof ChannelTabLocks) this.locks.hear(word)
      }
    }
  }

  #meetBehind(theirs: Edition | undefined): void {
    if (!this.#mine || (theirs && meet(this.#mine, theirs) !== 'behind')) return
    const [soonest, latest] = ANSWER_MS
    const delay = soonest + Math.random() * (latest - soonest)
    this.#answering ??= setTimeout(
      () => {
        this.#told()
        if (!this.#byMessage) this.#host.save(this.word ?? '')
        this.#tell()
      },
      this.#mine.by === this.#id ? 0 : delay,
    )
  }

  #told(): void {
    clearTimeout(this.#answering)
    this.#answering = undefined
  }

  #take(edition: Edition, tokens: StoredTokens | undefined): void {
    const meeting = meet(this.#mine, edition)
    if (meeting === 'same') this.#told()
    if (meeting === 'behind') this.#meetBehind(edition)
    if (meeting === 'same' || meeting === 'behind') return
    if (meeting === 'renewed' || meeting === 'signed-in' || meeting === 'switched') {
      // Who says that somebody is signed in, and brings no token, is no tab of ours.
      if (!tokens || !heldOf(tokens)) return
      const isFirst = this.#mine === undefined
      this.#move(edition)
      this.#host.adopt(isFirst ? 'found' : meeting, { ...tokens, edition: wordOf(edition) })
    } else {
      this.#move(edition)
      if (meeting === 'refused') this.#host.refused(refusal())
      if (meeting === 'signed-out') this.#host.signedOut()
    }
    this.#announce()
  }

  /** Takes what the store holds, once that is at least `theirs`. */
  async #lookFor(theirs: Edition): Promise<void> {
    for (let looks = 0; looks < LOOKS; looks++) {
      const stored = await this.#host.stored().catch(() => undefined)
      const edition = editionIn(stored?.edition)
      if (edition && compareEditions(edition, theirs) >= 0) return this.#take(edition, stored)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS * 2 ** looks))
    }
  }

  /** Seen again, or thawed: what was said meanwhile may have been missed. */
  #back(): void {
    if (!this.#mine) return
    this.locks.show(this.word)
    this.hello()
  }
}

const refusal = (): TokenRefusedError =>
  new TokenRefusedError('the refresh token was refused in another tab: sign in again')
