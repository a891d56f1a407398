/** Keeps a quiet connection alive, and finds out when it is dead. */
import {
  checked,
  heard,
  type Life,
  nextLookAt,
  opened,
  type Pace,
  pinged,
  renewed,
  sightOf,
  spared,
} from '../core/liveness.ts'

/** What is pinged, and how. */
export interface Pulse extends Pace {
  ping(): void
  dead(): void
  /** How long what was sent before may still take to leave, in ms. */
  lagMs(): number
  /** How long it took to open, in ms. */
  readonly handshakeMs: number
  /** Have bytes come in since this was last asked? Absent: frames are all that is seen. */
  stirred?(): boolean
}

export interface Beat {
  /** Something came in. */
  heard(): void
  /** Pings now, since something may have happened. @returns whether an answer would tell */
  check(): boolean
  stop(): void
}

const SHORTEST_MS = 10

/** One timer that looks at what has come; nothing is armed or cleared for a message. */
export const beat = (pulse: Pulse): Beat => {
  const { everyMs, timeoutMs = everyMs } = pulse
  // The clock may be set, and machines sleep: so it looks more often than it has to.
  const glanceMs = Math.min(everyMs, timeoutMs) / 4
  let life = opened(Date.now(), pulse.handshakeMs)
  let heardAt = life.heardAt
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  const arm = () => {
    // A ping may have shown that the socket closes.
    if (isOver) return
    const armedAt = Date.now()
    const ms = Math.max(Math.min(nextLookAt(life, pulse) - armedAt, glanceMs), SHORTEST_MS)
    clearTimeout(timer)
    timer = setTimeout(() => look(armedAt, armedAt + ms), ms)
  }
  const ping = (next: Life) => {
    if (next.owed !== life.owed) pulse.stirred?.()
    life = next
    pulse.ping()
  }
  const look = (armedAt: number, dueAt: number) => {
    const at = Date.now()
    life = { ...life, heardAt }
    // It was set back.
    if (at < armedAt) life = renewed(life, at)
    switch (sightOf(life, pulse, at)) {
      case 'to ping':
        ping(pinged(life, pulse, at, pulse.lagMs()))
        break
      case 'spared':
        life = spared(life, at, at - dueAt)
        break
      case 'dead':
        if (!pulse.stirred?.()) return pulse.dead()
        life = renewed(life, at)
    }
    heardAt = life.heardAt
    arm()
  }
  arm()
  return {
    heard: () => {
      heardAt = Date.now()
      if (life.owed) life = heard(life, heardAt)
    },
    check: () => {
      if (pulse.timeoutMs === undefined) return false
      life = { ...life, heardAt }
      const next = checked(life, Date.now(), pulse.lagMs())
      if (next !== life) ping(next)
      arm()
      return true
    },
    stop: () => {
      isOver = true
      clearTimeout(timer)
    },
  }
}
