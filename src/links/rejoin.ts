/** What a `joined` frame means where two sockets may say it, and each may be behind what is known from the other one. */
import type { Joined, Membership } from '../core/membership.ts'
import type { IncomingOf } from '../protocols/protocol.ts'

export type Rejoined = IncomingOf<'joined'> & Joined

export type Rejoin =
  /** As if there were one socket. */
  | 'alone'
  /** The successor goes on with the room where it stands. */
  | 'resumed'
  /** The successor does not. */
  | 'not-resumed'
  /** Answers an earlier request: what it brings is good, and what was asked for since is still to come. */
  | 'late'
  /** The room counts anew: on which of two sockets a message comes would say what it counts by. */
  | 'anew'
  /** Somebody has joined for the first time, and is told so by the successor. */
  | 'nothing'

/**
 * @param isAwaited the successor was asked for the room, and has not answered
 * @param isMoving nothing is written to the current socket any more
 */
export const rejoinOf = (
  { id, epoch, recovered }: Rejoined,
  membership: Membership,
  { isAwaited, isMoving }: { readonly isAwaited: boolean; readonly isMoving: boolean },
): Rejoin => {
  const isLast = membership.askedBy === id
  if (membership.epoch === undefined || id === undefined) {
    if (!isMoving || isLast) return 'alone'
    return id === undefined ? 'anew' : 'nothing'
  }
  const isSame = epoch === membership.epoch
  if (!isLast && isSame) return 'late'
  if (!isLast && isMoving) return 'anew'
  if (!isAwaited) return 'alone'
  if (isSame && recovered === true) return 'resumed'
  return isMoving ? 'not-resumed' : 'alone'
}
