/** Keeps a quiet connection alive, and finds out when it is dead. */
import type { Heartbeat } from '../protocols/protocol.ts'

export interface Pulse {
  /** When the last frame came, in epoch ms: any frame is a sign of life. */
  lastFrameAt(): number
  ping(frame: string): void
  dead(): void
}

/**
 * One interval that looks at a timestamp; nothing is armed or cleared for a message. The clock may be set
 * back meanwhile: then a ping asks, too.
 */
export const beat = ({ frame, everyMs, timeoutMs }: Heartbeat, pulse: Pulse): (() => void) => {
  /** When the ping left that nothing has answered yet, and the last frame before it. */
  let pingedAt: number | undefined
  let before: number | undefined
  const timer = setInterval(
    () => {
      const now = Date.now()
      const lastFrameAt = pulse.lastFrameAt()
      if (pingedAt !== undefined && lastFrameAt === before && now >= pingedAt) {
        if (now - pingedAt >= timeoutMs) pulse.dead()
        return
      }
      pingedAt = undefined
      if (now - lastFrameAt < everyMs && now >= lastFrameAt) return
      pingedAt = now
      before = lastFrameAt
      pulse.ping(frame)
    },
    Math.max(10, Math.min(everyMs, timeoutMs) / 4),
  )
  return () => clearInterval(timer)
}
