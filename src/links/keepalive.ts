/** What keeps the current socket of a link alive, finds out that it is dead, and doubts it after a sleep. */
import { restartMs } from '../core/delays.ts'
import type { Sleep } from '../core/sleep.ts'
import type { Heartbeat } from '../protocols/protocol.ts'
import { type DialedSocket, type DialListener, LOOK_EVERY_MS } from '../shell/dialer.ts'
import { type Beat, beat } from '../shell/heartbeat.ts'
import { watchSleep } from '../shell/sleep.ts'
import { callAt } from '../shell/timers.ts'

export class Keepalive {
  readonly #scale: number
  readonly #leave: () => void
  /** Of the current socket; what comes on another one says nothing of it. */
  #dial = 0
  /** By frames that the server knows, and by pings of the protocol, where the runtime can send them. */
  #beats: readonly Beat[] = []
  #pings: Beat | undefined
  #slept: (() => Sleep) | undefined
  #handshakeMs = 0
  #stopDoubt: (() => void) | undefined

  /** @param leave for another socket, though nothing shows that the current one is dead */
  constructor(scale: number, leave: () => void) {
    this.#scale = scale
    this.#leave = leave
  }

  /** From here on it is the current socket. @returns ends that */
  start(
    dial: number,
    socket: DialedSocket | undefined,
    heartbeat: Heartbeat | undefined,
    dead: () => void,
  ): () => void {
    this.#dial = dial
    this.#slept = watchSleep(LOOK_EVERY_MS)
    const common = { dead, lagMs: () => socket?.lagMs ?? 0, handshakeMs: this.#handshakeMs }
    const { pinger } = socket ?? {}
    const frames = heartbeat && { ...heartbeat, ping: () => socket?.send(heartbeat.frame) }
    const beats = [pinger, frames].flatMap((pulse) => (pulse ? beat({ ...pulse, ...common }) : []))
    this.#beats = beats
    this.#pings = pinger && beats[0]
    return () => {
      for (const one of beats) one.stop()
      this.#stopDoubt?.()
      this.#stopDoubt = undefined
      // They hold the socket, and with it the URL that the token may be in.
      this.#beats = []
      this.#pings = undefined
      this.#slept = undefined
      this.#dial = 0
    }
  }

  /** Hears what the socket of that dial hears. */
  watch(dial: number, listener: DialListener): DialListener {
    const dialedAt = Date.now()
    const isCurrent = () => dial === this.#dial
    return {
      ...listener,
      opened: () => {
        this.#handshakeMs = Date.now() - dialedAt
        listener.opened()
      },
      // The hot path.
      frame: (data) => {
        if (isCurrent()) for (const one of this.#beats) one.heard()
        listener.frame(data)
      },
      // Servers count neither as a frame, so a heartbeat of frames does not.
      answered: () => {
        if (isCurrent()) this.#pings?.heard()
      },
      looked: () => {
        if (isCurrent() && this.#slept) this.#wake(this.#slept())
      },
    }
  }

  /** News from the page. That it slept is seen when timers ring. */
  check(news: 'nudge' | 'reroute'): void {
    this.#wake(news === 'reroute' ? 'long' : 'short')
  }

  /** Asks, where an answer would tell; else what slept long is left, at a moment of its own. */
  #wake(sleep: Sleep): void {
    if (
      this.#dial === 0 ||
      sleep === 'none' ||
      this.#beats.some((one) => one.check()) ||
      sleep === 'short'
    )
      return
    this.#stopDoubt ??= callAt(Date.now() + restartMs(Math.random()) * this.#scale, this.#leave)
  }
}
