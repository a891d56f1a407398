/**
 * A token that travels in a frame after the handshake. By shape, because a transmission says so with members
 * that others do not have.
 */
import type { Handshake, Transmission } from '../transmissions/transmission.ts'

export interface FrameHandshake extends Handshake {
  readonly firstFrame?: string
}

interface Listener {
  opened(): void
  frame(data: string | ArrayBuffer): void
}

/** The dialogue, where there is one: what is waited for, and what the answers mean. */
export interface Dialogue {
  begin(
    next: Listener,
    port: { say(): void; accepted(frame: string | ArrayBuffer): void; refused(): void },
  ): Listener
}

export const firstFrameOf = (handshake: FrameHandshake): string | undefined => handshake.firstFrame

export const dialogueOf = (
  transmission: (Transmission & { readonly firstMessage?: Dialogue }) | undefined,
): Dialogue | undefined => transmission?.firstMessage
