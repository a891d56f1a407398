/**
 * "The core with its defaults": what the smallest real program imports. `AuthedSocket` with a
 * function as `auth` (no session), one transmission (`viaSubprotocol`) and one protocol (`plain`),
 * with the three dependencies. `npm run size` bundles this file and fails beyond the budget.
 */
export { AuthedSocket, plain, viaSubprotocol } from '../../src/index.ts'
