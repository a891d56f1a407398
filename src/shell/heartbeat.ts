/** Keeps a quiet connection alive, and finds out when it is dead. */
import type { Heartbeat } from '../protocols/protocol.ts'

export interface Pulse {
  /** When the last frame came, in epoch ms: any frame is a sign of life. */
  lastFrameAt(): number
  ping(frame: string): void
  dead(): void
}

/** One interval that looks at a timestamp; nothing is armed or cleared for a message. */
export const beat = ({ frame, everyMs, timeoutMs }: Heartbeat, pulse: Pulse): (() => void) => {
  let pingedAt: number | undefined
  const timer = setInterval(
    () => {
      const now = Date.now()
      const lastFrameAt = pulse.lastFrameAt()
      if (pingedAt !== undefined && lastFrameAt >= pingedAt) pingedAt = undefined
      if (pingedAt !== undefined) {
        if (now - pingedAt >= timeoutMs) pulse.dead()
      } else if (now - lastFrameAt >= everyMs) {
        pingedAt = now
        pulse.ping(frame)
      }
    },
    Math.max(10, Math.min(everyMs, timeoutMs) / 4),
  )
  return () => clearInterval(timer)
}
