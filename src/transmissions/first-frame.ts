import type { FirstFrame, Handshake } from './transmission.ts'

/** The first frame for a server that is not waited for: of no challenge. Rejects where it cannot be made so. */
export const firstFrameOf = async ({ firstFrame }: Handshake): Promise<FirstFrame | undefined> =>
  typeof firstFrame === 'function' ? firstFrame(undefined) : firstFrame
