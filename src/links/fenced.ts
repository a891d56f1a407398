/** A send that the current socket refuses because the server has welcomed its successor already. */
import type { Incoming } from '../protocols/protocol.ts'

/** When it is tried again, unless what is written has moved by then. */
const AGAIN_MS = 100

/** It is sent on the successor as soon as this client knows of it. */
export const fenced = (id: number): Incoming => ({
  kind: 'error',
  id,
  code: 'superseded',
  message: 'a later connection exists',
  retryAfterMs: AGAIN_MS,
})
