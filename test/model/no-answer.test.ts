/** A dial that nothing answers says nothing of the token: Firefox holds dials back by itself after failures. */
import { describe, expect, it } from 'vitest'
import {
  acceptThen,
  dialInTurn,
  forced,
  HOUR,
  hang,
  MINUTE,
  refuseUnseen,
  renewing,
  SECOND,
  tell,
} from './scripts.ts'
import type { Server } from './simulator.ts'

const lost = acceptThen(1006, 10 * SECOND)
const opensOnly: Server = () => [{ afterMs: 80, do: 'open' }]
const SILENCE: readonly (readonly [string, Server, number])[] = [
  ['from the first dial on', hang, 0],
  ['after a connection that was lost', dialInTurn(lost, hang), 0],
  ['between refusals in an outage', dialInTurn(lost, refuseUnseen, hang), 0],
  // The control.
  ['but refusals that nobody sees do', dialInTurn(lost, refuseUnseen), 1],
]

describe('dials that are not answered cost no forced refresh', () => {
  it.each(SILENCE)('%s', (_, server, refreshes) => {
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(forced(sim)).toBe(refreshes)
    })
  })

  it('and where the socket opened, and nobody was let in, they cost one', () => {
    tell({ source: renewing(), server: opensOnly, link: { greets: true } }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(forced(sim)).toBe(1)
    })
  })

  it('nor a probe of the host, but for the first error', () => {
    tell({ source: renewing(), server: dialInTurn(lost, hang) }, (sim) => {
      sim.connect(0).run(30 * MINUTE)
      expect(sim.probes).toHaveLength(0)
    })
  })

  it('but the option probe is asked, and its no counts', () => {
    const server = dialInTurn(hang, hang, lost)
    tell({ source: renewing(), server, host: () => 'refused' }, (sim) => {
      sim.connect(0).run(MINUTE)
      expect(forced(sim)).toBeGreaterThan(0)
    })
  })
})
