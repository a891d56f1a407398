/** What the page of the doctor's test runs. */
import { type Diagnosis, diagnose } from '../../src/doctor/index.ts'
import { plain, viaQuery, viaSubprotocol } from '../../src/index.ts'

export const look = ({
  url,
  token,
  way,
}: {
  url: string
  token: string
  way: string
}): Promise<Diagnosis> =>
  diagnose({
    url,
    auth: () => token,
    transmission: way === 'query' ? viaQuery({ acceptLogging: true }) : viaSubprotocol(),
    protocol: plain(),
    watchMs: 300,
    timeoutMs: 3_000,
  })
