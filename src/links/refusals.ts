/** Why a frame was not sent, or why nobody knows. */
import type { Outbox } from '../core/outbox.ts'
import {
  NotConnectedError,
  OutboxFullError,
  RequestFailedError,
  SendUnknownError,
} from '../errors.ts'
import { type Entry, isOver, type Order, type Outcome } from './order.ts'

export const unknown = (cause?: Error): Error =>
  new SendUnknownError('sent, and no answer came: it may have arrived or not', { cause })
export const lost = (): Error => new NotConnectedError('not sent: the connection was lost')

export const notNow = (): Error =>
  new NotConnectedError('not sent: a volatile send waits for nothing')
export const othersNow = (): Error =>
  new NotConnectedError('somebody else signed in before it was sent')
/** The frame, unless it is larger than the server takes. */
export const within = (limit: number, frame: Order['frame'] | Error): Order['frame'] | Error =>
  frame instanceof Error || !isOver(limit, frame)
    ? frame
    : new RequestFailedError(`not sent: the server takes frames of ${limit} bytes`, 'too-large')

/** Names what is full, how large it is, and what is to be done. */
export const full = (
  bytes: number,
  { bounds, size, bytes: held }: Pick<Outbox<Entry>, 'bounds' | 'size' | 'bytes'>,
  buffered: number,
): Error =>
  new OutboxFullError(
    bounds.count === 0
      ? 'nothing waits, since outbox.count is 0: send while connected'
      : bytes > bounds.bytes
        ? `a frame of ${bytes} bytes is larger than outbox.bytes (${bounds.bytes}): send it while connected and nothing waits, or raise that`
        : buffered > 0
          ? `the buffer of the socket is full: it holds ${buffered} bytes, and ${held} wait, of outbox.bytes (${bounds.bytes}): wait for earlier sends, or raise that`
          : `the queue is full: ${size} frames of ${held} bytes, of outbox (${bounds.count}, ${bounds.bytes}): connect, wait for earlier sends, or raise that`,
  )

export const failure = (error: Error): Outcome => ({ error })
