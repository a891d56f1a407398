/** The numbers of a link machine, as the options and their parts say. */
import type { LinkLimits } from '../core/link-state.ts'
import type { Resolved } from '../options.ts'

export const limitsOf = ({ protocol, transmission, ...options }: Resolved): LinkLimits => ({
  ownsRoom: protocol.rooms.kind === 'per-socket',
  greets: protocol.greets || transmission?.firstMessage !== undefined,
  settleMs: options.settleMs,
  connectTimeoutMs: options.connectTimeoutMs,
  answerTimeoutMs: transmission?.firstMessage?.timeoutMs,
  closeAtExpiry: options.closeAtExpiry ?? false,
  renewal: options.renewal ?? 'in-band',
  scale: options.scale,
})
