/** Where a link sits in its session: what it reports, and what it hears. */
import type { Credential } from '../core/credential.ts'
import type { CredentialState } from '../core/credential-state.ts'
import type { SessionStep } from '../core/diary.ts'
import { grantOf, isSameGrant } from '../core/grant.ts'
import type { Problem } from '../core/problem.ts'
import type { Demand, Grant, LinkId, Standing } from '../core/standing.ts'
import { errorOf } from '../error-of.ts'

/** What a link hears from its session. */
export interface LinkPort {
  granted(grant: Grant): void
  /** Somebody signed in. `another`: it is, or may be, somebody else. */
  signedIn(who: 'same' | 'another'): void
  loggedOut(): void
  /** Hears each step of the session, for whoever writes it down. */
  readonly decided?: ((step: SessionStep) => void) | undefined
}

/** A link's seat in the session. */
export interface Seat {
  report(standing: Standing): void
  leave(): void
}

/** The links of one session. */
export class Seats {
  readonly #links = new Map<LinkId, { readonly port: LinkPort; last: Grant | undefined }>()
  #nextId = 1

  join(
    port: LinkPort,
    report: (id: LinkId, standing: Standing) => void,
    emptied: () => void,
  ): Seat {
    const id = this.#nextId++
    const linked = { port, last: undefined }
    this.#links.set(id, linked)
    return {
      report: (standing) => {
        linked.last = undefined
        report(id, standing)
      },
      leave: () => {
        report(id, { kind: 'out' })
        this.#links.delete(id)
        if (this.#links.size === 0) emptied()
      },
    }
  }

  /** Who takes a seat meanwhile, or left it, is not meant. */
  tell(what: (port: LinkPort) => void): void {
    for (const [id, { port }] of [...this.#links]) if (this.#links.has(id)) what(port)
  }

  /** Tells each link its grant, where that is news to it. */
  grant(state: () => CredentialState): void {
    for (const [id, linked] of [...this.#links]) {
      const grant = grantOf(state(), id)
      if (grant === undefined || isSameGrant(grant, linked.last)) continue
      linked.last = grant
      linked.port.granted(grant)
    }
  }
}

/** Ends the session as a link does whose server said so. */
export const endSession = (session: { join(port: LinkPort): Seat }, problem: Problem): void => {
  const seat = session.join({ granted() {}, signedIn() {}, loggedOut() {} })
  seat.report({ kind: 'asking', demand: { kind: 'ended', problem } })
  seat.leave()
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
