/** One socket and its machine: dials, waits and asks as the link machine wants it. */
import { standingOf, transition } from '../core/link-machine.ts'
import {
  initialLinkState,
  type LinkEvent,
  type LinkMachine,
  type LinkState,
  type LinkWork,
} from '../core/link-state.ts'
import { workOf } from '../core/link-work.ts'
import { type Bulk, type Problem, STRANGER } from '../core/problem.ts'
import type { Resolved, UrlContext } from '../options.ts'
import type { Codec, Incoming } from '../protocols/protocol.ts'
import type { Seat } from '../sessions/seat.ts'
import { type DialEnd, type DialedSocket, type DialListener, dial } from '../shell/dialer.ts'
import { IGNORED } from '../shell/header-rules.ts'
import { Runtime } from '../shell/runtime.ts'
import { callAt, callWhenDue, moment } from '../shell/timers.ts'
import { findWebSocket } from '../shell/websocket.ts'
import { redactUrl } from '../transmissions/redact.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import { bulkOf, handshakeOf, urlOf } from './handshake.ts'
import { judgeEnd, stopFor } from './judge-end.ts'
import { Keepalive } from './keepalive.ts'
import { limitsOf } from './limits.ts'
import type { LinkListener, LinkVerb } from './link-port.ts'
import { offer } from './offer.ts'
import { probe, warnOnce } from './probe.ts'
import { isStranger } from './stranger.ts'
import { fault } from './wrong.ts'

type Report = (event: LinkEvent) => void

export class Link {
  readonly #options: Resolved
  readonly #context: Omit<UrlContext, 'attempt'>
  readonly #codec: Codec
  readonly #listener: LinkListener
  readonly #runtime: Runtime<LinkState, LinkEvent, LinkWork>
  #seat: Seat | undefined
  /** By the number of their dial. */
  readonly #sockets = new Map<number, DialedSocket>()
  readonly #keepalive: Keepalive
  #where: string | undefined
  #bulk: Bulk

  constructor(
    options: Resolved,
    context: Omit<UrlContext, 'attempt'>,
    codec: Codec,
    listener: LinkListener,
  ) {
    this.#options = options
    this.#context = context
    this.#codec = codec
    this.#listener = listener
    this.#keepalive = new Keepalive(options.scale, () => this.tell('redial'))
    const limits = limitsOf(options)
    const machine: LinkMachine = options.machine ?? { transition, workOf }
    this.#runtime = new Runtime({
      initial: initialLinkState,
      transition: (state, event) => machine.transition(state, event, limits),
      workOf: (state) => machine.workOf(state, limits),
      start: (work, report) => this.#start(work, report),
      changed: (...step) => this.#changed(...step),
    })
  }

  get state(): LinkState {
    return this.#runtime.state
  }

  /** Where the last dial went, without the query. */
  get where(): string | undefined {
    return this.#where
  }

  tell(type: LinkVerb): void {
    this.#runtime.dispatch({ type: type === 'reroute' ? 'nudge' : type, ...moment() })
    if (type === 'nudge' || type === 'reroute') this.#keepalive.check(type)
  }

  /** @returns whether an open socket took it: the current one, or that of another dial */
  write(frame: string | ArrayBuffer, dial = this.state.memory.dials): boolean {
    return this.#sockets.get(dial)?.send(frame) ?? false
  }

  get buffered(): number {
    return this.#sockets.get(this.state.memory.dials)?.buffered ?? 0
  }

  #changed(next: LinkState, previous: LinkState, event: LinkEvent): void {
    this.#options.diary?.link([event, previous, next], this.#where, this.#context.room)
    if (previous.kind === 'idle') this.#seat = this.#sit()
    this.#seat?.report(standingOf(next))
    if (next.kind === 'idle') {
      this.#seat?.leave()
      this.#seat = undefined
    }
    this.#listener.changed(next, previous)
  }

  #sit(): Seat {
    return this.#options.holder.join({
      granted: (grant) => this.#runtime.dispatch({ type: 'granted', grant, ...moment() }),
      signedIn: (who) => this.#runtime.dispatch({ type: 'signed-in', who, ...moment() }),
      loggedOut: () => this.tell('disconnect'),
    })
  }

  #start(work: LinkWork, report: Report): () => void {
    switch (work.kind) {
      case 'timer':
        return (work.event === 'timed-out' ? callWhenDue : callAt)(work.at, () => {
          this.#sockets.get(this.state.memory.dials)?.look()
          report({ type: work.event, ...moment() })
        })
      case 'socket':
        return this.#dial(work, (event) => report({ ...event, dial: work.dial }))
      case 'probe':
        return probe(
          work.credential,
          this.state.memory,
          this.#where,
          this.#options,
          this.#context,
          report,
        )
      case 'heartbeat':
        return this.#keep(() => report({ type: 'closed', ...moment(), ...DEAD }))
      case 'offer':
        return offer(this.#options, work.credential.id, this.#listener, report)
    }
  }

  #keep(dead: () => void): () => void {
    const { dials } = this.state.memory
    return this.#keepalive.start(dials, this.#sockets.get(dials), this.#codec.heartbeat, dead)
  }

  #dial(
    { dial: n, credential }: Extract<LinkWork, { kind: 'socket' }>,
    report: Report,
  ): () => void {
    const { WebSocket, webSocketOptions, exchange, holder, diary } = this.#options
    const controller = new AbortController()
    const { signal } = controller
    const open = async () => {
      const Socket = WebSocket ?? (await findWebSocket(webSocketOptions))
      const url = urlOf(this.#options, { ...this.#context, attempt: n - 1 })
      this.#where = redactUrl(url)
      diary?.dialed(this.#where, this.#context.room)
      this.#listener.addressed(url)
      const answer = exchange
        ? await exchange(credential.id, signal)
        : holder.answerOf(credential.id)
      if (signal.aborted) return
      if (answer && 'verdict' in answer) return report({ type: 'closed', ...moment(), ...answer })
      const handshake = handshakeOf(this.#options, url, answer)
      this.#bulk = bulkOf(handshake, url, this.#options)
      const listener = this.#listen(handshake, n, report, signal)
      this.#sockets.set(n, dial(handshake, Socket, webSocketOptions, listener))
    }
    open().catch((cause) => report(stopFor(cause)))
    return () => {
      controller.abort()
      this.#sockets.get(n)?.close()
      this.#sockets.delete(n)
    }
  }

  #listen(
    { firstFrame = '' }: Handshake,
    n: number,
    report: Report,
    signal: AbortSignal,
  ): DialListener {
    const listener: DialListener = {
      opened: () => report({ type: 'opened', ...moment() }),
      frame: (data) => this.#receive(data, report, isHello, signal),
      ignored: () => warnOnce(this.#options, 'headers', IGNORED),
      closing: () => report({ type: 'closing', ...moment() }),
      ended: (end) => this.#ended(end, report),
    }
    const dialogue = this.#options.transmission?.firstMessage?.begin(listener, {
      say: (challenge) => {
        if (typeof firstFrame !== 'function') this.write(firstFrame, n)
        else
          firstFrame(challenge).then(
            (frame) => this.write(frame, n),
            (cause) => report(stopFor(cause)),
          )
      },
      accepted: (data) => this.#receive(data, report, () => true, signal),
      refused: () =>
        report({ type: 'closed', ...moment(), verdict: 'reauthenticate', problem: SAID }),
    })
    return this.#keepalive.watch(n, { ...listener, ...dialogue })
  }

  /** The hot path: one `read`, no promise, no timer. */
  #receive(
    data: string | ArrayBuffer,
    report: Report,
    accepts: (incoming: Incoming) => boolean,
    signal: AbortSignal,
  ): void {
    const incoming = this.#read(data)
    if (incoming.kind === 'verdict') {
      report({ type: 'closed', ...moment(), verdict: incoming.verdict, problem: SAID })
      return
    }
    if (incoming.kind === 'welcome' && isStranger(this.#options, incoming.user)) {
      report({ type: 'closed', ...moment(), verdict: 'sign-in', problem: STRANGER })
      return
    }
    // What a welcome says must be known before anything is sent on the strength of it.
    if (incoming.kind === 'welcome') this.#listener.incoming(incoming)
    const renewable = incoming.kind === 'welcome' && incoming.renewable === true
    if (accepts(incoming)) report({ type: 'greeted', renewable, ...moment() })
    else if (this.state.kind === 'connecting') report({ type: 'accepted', ...moment() })
    if (incoming.kind === 'expiring') this.tell('expiring')
    // Whoever heard of it may have signed out: then it is for nobody.
    else if (incoming.kind !== 'welcome' && !signal.aborted) this.#listener.incoming(incoming)
  }

  #read(data: string | ArrayBuffer): Incoming {
    try {
      return this.#codec.read(data)
    } catch (error) {
      return { kind: 'unreadable', detail: fault('protocol.read()', error).message }
    }
  }

  #ended(end: DialEnd, report: Report): void {
    const { failed } = this.#listener
    const [problem, verdict] = judgeEnd(end, this.state, this.#options, this.#bulk, failed)
    report({ type: 'closed', ...moment(), problem, verdict })
  }
}

const SAID: Problem = { kind: 'verdict-frame' }
const DEAD = { verdict: 'retry', problem: { kind: 'timeout' } } as const

const isHello = (incoming: Incoming): boolean =>
  incoming.kind === 'welcome' || (incoming.kind === 'message' && incoming.greeting === true)
