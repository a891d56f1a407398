/** One socket, without rooms. */
import type { Identity } from '../core/identity.ts'
import type { LinkState, StateOf } from '../core/link-state.ts'
import { errorOf } from '../error-of.ts'
import type { Resolved } from '../options.ts'
import type { Codec, Incoming } from '../protocols/protocol.ts'
import type { Room } from '../room.ts'
import { isReconnect, Line } from './line.ts'
import type { Lines, LinesHost, LinesMaker } from './lines.ts'
import type { LinkVerb } from './link-port.ts'
import type { CallOptions, MessageOptions } from './order.ts'

export class OneLine implements Lines {
  protected readonly line: Line
  protected readonly host: LinesHost

  constructor(options: Resolved, host: LinesHost) {
    this.host = host
    this.line = new Line(options, {}, host, {
      changed: (next, previous) => this.changed(next, previous),
      incoming: (message) => this.incoming(message),
      failed: (error) => host.report(error),
      isReady: (room) => this.isReady(room),
      epochOf: (room) => this.epochOf(room),
      addressed: (url, codec) => this.addressed(url, codec),
    })
  }

  get states(): readonly LinkState[] {
    return [this.line.link.state]
  }

  get identity(): Identity {
    return this.line.identity
  }

  get where(): string | undefined {
    return this.line.link.where
  }

  tell(verb: LinkVerb): void {
    this.line.link.tell(verb)
  }

  send(data: unknown, options?: MessageOptions): Promise<unknown> {
    return this.line.send(undefined, data, options)
  }

  call(type: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    return this.line.call(type, payload, options)
  }

  room(_name: string): Room {
    throw new TypeError('room: this protocol has no rooms')
  }

  forget(_since: number): void {
    // Frames of somebody else are refused there.
    this.line.delivery.flush()
  }

  /** Everything that is no answer to a send or a call. */
  protected incoming(message: Incoming): void {
    if (message.kind === 'message') this.host.message(message.data, message.meta)
    else this.host.misread(message)
  }

  protected isReady(_room: string | undefined): boolean {
    return true
  }

  protected epochOf(_room: string | undefined): string | undefined {
    return undefined
  }

  protected addressed(url: URL, codec: Codec): void {
    codec.address?.(url, [])
  }

  protected connected(_state: StateOf<'connected'>): void {}

  protected interrupted(): void {}

  /** What was sent to it meanwhile is missing. */
  protected reconnected(): void {
    this.host.reconnected()
  }

  protected failed(_error: Error): void {}

  protected changed(next: LinkState, previous: LinkState): void {
    const isUp = next.kind === 'connected'
    const wasUp = previous.kind === 'connected'
    if (wasUp && !isUp) this.interrupted()
    if (next.kind === 'connected' && !wasUp) this.connected(next)
    if (next.kind === 'failed') this.failed(errorOf(next.problem, this.where))
    this.host.refresh()
    if (isReconnect(next, previous)) this.reconnected()
  }
}

/** One socket, and no rooms on it. */
export const oneLine: LinesMaker = {
  kind: 'none',
  make: (options, host) => new OneLine(options, host),
}
