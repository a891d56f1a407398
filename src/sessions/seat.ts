/** Where a link sits in its session: what it reports, and what it hears. */
import type { Credential } from '../core/credential.ts'
import type { Demand, Grant, Standing } from '../core/standing.ts'
import { errorOf } from '../error-of.ts'

/** What a link hears from its session. */
export interface LinkPort {
  granted(grant: Grant): void
  /** Somebody signed in; `identity` says who, where that is known. */
  signedIn(identity: string | undefined): void
  loggedOut(): void
}

/** A link's seat in the session. */
export interface Seat {
  report(standing: Standing): void
  leave(): void
}

/** Takes a seat for one credential; rejects instead of waiting out a backoff. */
export const askOnce = (
  session: { join(port: LinkPort): Seat },
  kind: Extract<Demand['kind'], 'plain' | 'again'>,
): Promise<Credential> =>
  new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      settle()
      seat.leave()
    }
    const seat = session.join({
      granted: (grant) => {
        if (grant.kind === 'go') done(() => resolve(grant.credential))
        else if (grant.kind === 'fail' || grant.kind === 'later')
          done(() => reject(errorOf(grant.problem)))
      },
      signedIn: () => {},
      loggedOut: () => done(() => reject(errorOf({ kind: 'signed-out' }))),
    })
    seat.report({ kind: 'asking', demand: { kind } })
  })
