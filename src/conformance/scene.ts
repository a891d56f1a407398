/** Where one check plays: it dials as it is told, names fresh rooms, and keeps what was said. */
import { firstFrameOf } from '../transmissions/first-frame.ts'
import { redactUrl } from '../transmissions/redact.ts'
import type { Feature, ServerFrame } from './frames.ts'
import { type DialOptions, handshakeOf, tokenFor, tokenOf, type UserName } from './handshake.ts'
import { fail, NotChecked } from './judging.ts'
import { Member, newAuthor } from './member.ts'
import type { Resolved } from './options.ts'
import { Peer } from './peer.ts'
import type { Secrets } from './secrets.ts'
import { type RuleId, Watch } from './watch.ts'
import { type Opening, openWire } from './wire.ts'

export type Opened =
  | { readonly kind: 'open'; readonly peer: Peer }
  | Exclude<Opening, { kind: 'open' }>
export type Welcome = ServerFrame<'welcome'>

/** What all checks of a run share. */
export interface Shared {
  readonly options: Resolved
  readonly secrets: Secrets
  /** Begins every room, so that no run meets rooms of another. */
  readonly roomPrefix: string
  /** Of the first dial; checks run only where there is one, or do without. */
  readonly welcome: Welcome | undefined
  breach(rule: RuleId, detail: string): void
  /** Counts frames by direction and type. */
  count(direction: '>' | '<', type: string): void
}

/** How long a server may take to answer a close. */
const CLOSE_MS = 1_000
const MAX_TRACE = 12
const MAX_LINE = 240

export class Scene {
  readonly options: Resolved
  readonly #shared: Shared
  readonly #name: string
  readonly #number: number
  readonly #peers: Peer[] = []
  readonly #trace: string[] = []
  #rooms = 0

  /** `name`: of the check, for what is watched on the way; `number`: no other scene of the run has it. */
  constructor(shared: Shared, name: string, number: number) {
    this.options = shared.options
    this.#shared = shared
    this.#name = name
    this.#number = number
  }

  /** The newest frames of the scene, without tokens. */
  get trace(): readonly string[] {
    return this.#trace
  }

  get welcome(): Welcome {
    if (this.#shared.welcome) return this.#shared.welcome
    throw new NotChecked('there was no welcome')
  }

  has(feature: Feature): boolean {
    return this.#shared.welcome?.features.includes(feature) ?? false
  }

  /** So many, or what the server allows to be unanswered at once. */
  batch(count: number): readonly number[] {
    const length = Math.min(count, this.welcome.limits.inFlight ?? count)
    return Array.from({ length }, (_, index) => index)
  }

  /** A room that nobody has been in; `tail` goes to the end of its name. */
  room(tail = ''): string {
    this.#rooms += 1
    return `${this.#shared.roomPrefix}${this.#number}-${this.#rooms}${tail}`
  }

  /** Fresh rooms for one join. */
  roomsForOneJoin(count: number): readonly string[] {
    if (this.welcome.limits.roomsPerJoin < count)
      throw new NotChecked(`fewer than ${count} rooms may stand in one join`)
    return Array.from({ length: count }, () => this.room())
  }

  /** Dials and tells how that went; no welcome is waited for. */
  async open(dial: DialOptions = {}): Promise<Opened> {
    const { secrets } = this.#shared
    const token = await tokenFor(this.options, secrets, dial)
    const label = `${dial.user ?? 'a'}${this.#peers.length + 1}`
    const peer = new Peer({
      timeoutMs: this.options.timeoutMs,
      quietMs: this.options.quietMs,
      watch: this.#watch(dial.joins ?? []),
      record: (direction, text, type) => {
        if (type !== undefined) this.#shared.count(direction, type)
        this.#note(`${label} ${direction} ${text}`)
      },
    })
    const handshake = handshakeOf(this.options, dial, token)
    this.#note(`${label} dials ${redactUrl(handshake.url)}`)
    const { WebSocket, webSocketOptions, timeoutMs } = this.options
    const opening = await openWire(
      { handshake, WebSocket, options: webSocketOptions, timeoutMs },
      peer,
    )
    if (opening.kind !== 'open') return opening
    peer.attach(opening.wire)
    this.#peers.push(peer)
    const first = await firstFrameOf(handshake)
    if (first !== undefined) peer.begin(first)
    return { kind: 'open', peer }
  }

  /**
   * Dials and takes the welcome.
   *
   * @throws {CheckFailure} when there is none
   */
  async dial(dial: DialOptions = {}): Promise<Peer> {
    return (await this.welcomed(dial)).peer
  }

  async welcomed(dial: DialOptions = {}): Promise<{ peer: Peer; welcome: Welcome }> {
    const opened = await this.open(dial)
    if (opened.kind !== 'open') fail(`a good dial failed: ${whyNot(opened)}`)
    return { peer: opened.peer, welcome: await opened.peer.take({ type: 'welcome' }) }
  }

  /**
   * A connection that has joined `room`, by default a fresh one, and whose `client` is the author, by default
   * a new one.
   */
  async member(dial: DialOptions = {}, room = this.room(), author = newAuthor()): Promise<Member> {
    const peer = await this.dial({ client: author.id, connection: 1, ...dial })
    return Member.join(peer, author, { room })
  }

  /** Two members of one room; the second one is another user where there is one. */
  async pair(): Promise<readonly [Member, Member]> {
    const first = await this.member()
    return [first, await this.member({ user: this.other }, first.room)]
  }

  tokenOf(user: UserName): Promise<string> {
    return tokenOf(this.options, this.#shared.secrets, user)
  }

  /** Of the second user where there is one, else of the first. */
  get other(): UserName {
    return this.options.tokens.b ? 'b' : 'a'
  }

  /** Ends what is still open, as a good client does. */
  async close(): Promise<void> {
    await Promise.all(
      this.#peers.map((peer) => {
        peer.close()
        return peer.closing(CLOSE_MS).catch(() => peer.drop())
      }),
    )
  }

  #watch(roomsOfUrl: readonly string[]): Watch {
    return new Watch(
      (rule, detail) => this.#shared.breach(rule, `${detail} (during ${this.#name})`),
      this.#shared.secrets,
      roomsOfUrl,
    )
  }

  #note(line: string): void {
    // Redacted before it is cut: the cut could leave the half of a token.
    const clean = this.#shared.secrets.redact(line)
    this.#trace.push(clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)}…` : clean)
    if (this.#trace.length > MAX_TRACE) this.#trace.shift()
  }
}

/** A handshake that did not open, in words. */
export function whyNot(opening: Exclude<Opened, { kind: 'open' }>): string {
  switch (opening.kind) {
    case 'status':
      return `the server answered HTTP ${opening.status} before it accepted`
    case 'echo':
      return opening.echoed === undefined
        ? 'the server accepted and sent no Sec-WebSocket-Protocol back'
        : 'the server accepted and sent a word back that was not offered'
    default:
      return opening.why
  }
}
