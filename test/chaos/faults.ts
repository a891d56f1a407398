/**
 * What may go wrong, as data.
 *
 * Only what a network may do to TCP: the bytes of one direction come in order, late or never, and what is
 * lost is the rest of that direction. A frame is dropped only when the connection is cut soon after, so that
 * a server which answers later would look the same.
 */
/** `up`: from the client to the server. */
export type Direction = 'up' | 'down'

/** Happens to the connection of one client. */
export type LineFault =
  /** After so many further bytes of one direction nothing more gets through, and both sides are ended. */
  | {
      readonly kind: 'cut'
      readonly direction: Direction
      readonly afterBytes: number
      readonly how: 'fin' | 'reset'
      /** `next`: counted from the first byte of the next dial, so that handshakes and resumes are cut too. */
      readonly dial: 'this' | 'next'
    }
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'hole'
      readonly direction: Direction | 'both'
      readonly forMs: number
      /**
       * - `release`: what was held arrives late.
       * - `cut`: it never arrives.
       * - `reconnect`: the application dials anew; what was held arrives at the socket that was left.
       * - `given-up`: the same, when the client has found out by itself.
       * - `succeeded`: the same, when the client has dialed a second connection beside this one.
       */
      readonly end: 'release' | 'cut' | 'reconnect' | 'given-up' | 'succeeded'
    }
  | {
      readonly kind: 'delay'
      readonly direction: Direction
      readonly byMs: number
      readonly forMs: number
    }
  /** So many bytes travel one by one. */
  | { readonly kind: 'slices'; readonly direction: Direction; readonly bytes: number }
  /**
   * The client loses its connection and dials anew, while the server still holds the old one; what was on its
   * way there arrives only after the new connection was welcomed.
   */
  | { readonly kind: 'linger'; readonly holdMs: number; readonly lateMs: number }
  /** The server's side closes with this code. */
  | { readonly kind: 'close'; readonly code: number }
  /** No answer gets through until the client has a second connection beside it, and some time more; then it is cut. */
  | { readonly kind: 'mute'; readonly forMs: number }
  /** `ok`: from the next one on, since answers come in order. `joined`: of the next dial, with everything behind it. */
  | { readonly kind: 'drop'; readonly frame: 'ok' | 'joined'; readonly cutAfterMs: number }

/** Happens to what the clients connect to. */
export type ServerFault =
  /** The process ends and starts again. `deaf`: so many clients hear nothing in the last moments before. */
  | {
      readonly kind: 'restart'
      readonly signal: 'SIGTERM' | 'SIGKILL'
      readonly downMs: number
      readonly deaf: number
    }
  | {
      readonly kind: 'worker-killed'
      /** Taken modulo the number of workers. */
      readonly worker: number
      readonly downMs: number
      readonly deaf: number
    }
  /** Its memory is gone. */
  | { readonly kind: 'redis-restarted'; readonly downMs: number; readonly deaf: number }

export type Fault = LineFault | ServerFault

/** Ends a connection, so that the client dials anew. */
export const breaks = (fault: Fault): boolean => {
  switch (fault.kind) {
    case 'delay':
    case 'slices':
    case 'mute':
      return false
    case 'hole':
      return fault.end !== 'release' && fault.end !== 'succeeded'
    default:
      return true
  }
}
