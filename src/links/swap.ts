import type { Swap } from '../core/link-state.ts'
import { swappingMachine } from '../core/link-swap.ts'
import type { LinesMaker } from './lines.ts'
import { SwappingLine } from './swapping-line.ts'

/** A swap, with what it does. */
const maker: Swap & Pick<LinesMaker, 'make'> = {
  kind: 'swap',
  make: (options, host) => {
    const { name, resumes, greets } = options.protocol
    if (!resumes || !greets)
      throw new TypeError(
        `AuthedSocket: renewal: swap() needs a protocol that resumes its rooms, such as multiplexed(): ${name} does not`,
      )
    return new SwappingLine({ ...options, machine: swappingMachine }, host)
  },
}

/**
 * For the option `renewal`: ahead of its end the token is renewed, and dials a second socket. The rooms are joined there
 * where they stand here, then what is written moves over in order, then the first socket is closed: nothing is lost,
 * nothing comes twice, and the rooms are joined all the time. For servers that take no younger token on a live socket.
 * A second socket that fails is let go, and the first one stays.
 *
 * @throws {TypeError} by the constructor of `AuthedSocket`: the protocol cannot resume. `multiplexed()` can
 */
export const swap = (): Swap => maker
