import type { CauseName, DiagnoseOptions } from '../../../src/doctor/index.ts'
import type { TestServer } from '../../support/servers.ts'
import type { Certificate, Closable, Running } from './python.ts'

/** What all cases share, because it takes a second to start. */
export interface Stage {
  readonly fastapi: TestServer
  readonly daphne: TestServer
  readonly channels: TestServer
  readonly node: TestServer
  /** Channels behind `AllowedHostsOriginValidator`. */
  readonly origins: Running
  readonly trusted: Certificate
  /** A token that each of them takes, of alice. */
  token(server: TestServer, kind?: 'valid' | 'expired' | 'refresh', user?: string): Promise<string>
  /** Closed after the case. */
  keep<Kept extends Closable>(kept: Kept | Promise<Kept>): Promise<Kept>
}

export interface Case {
  readonly title: string
  /** The cause, which the test made by hand. */
  readonly is: CauseName
  /** `fix` or `says` must hold this, where the cause alone does not say what to change. */
  readonly names?: string
  /** Begun first: the others go on beside it. */
  readonly slow?: true
  /** By the clock: a busy machine, on which nothing is certain, tries it three times. */
  readonly timed?: true
  make(stage: Stage): Promise<DiagnoseOptions>
}
