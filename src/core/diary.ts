/** Who is told each step of the machines, where anybody is. Types only: what is written down is another matter. */
import type { CredentialEvent, CredentialState } from './credential-state.ts'
import type { LinkEvent, LinkState } from './link-state.ts'

/** What a socket did lately, in words. Made by `diary()`. */
export interface Diary {
  /** One for each decision, the oldest first. No secrets. */
  readonly lines: readonly string[]
}

/** One step of the session. */
export type SessionStep = readonly [
  event: CredentialEvent,
  before: CredentialState,
  after: CredentialState,
]

/** One step of a socket. */
export type LinkStep = readonly [event: LinkEvent, before: LinkState, after: LinkState]

/** The side of a diary that the machines' owners write to. */
export interface Pen extends Diary {
  /** @param where the redacted URL of the last dial; `room`: whose socket it is, where each room has one */
  link(step: LinkStep, where: string | undefined, room: string | undefined): void
  dialed(where: string, room: string | undefined): void
  session(step: SessionStep): void
}
