/**
 * "The core with its defaults": `AuthedSocket` with a function as `auth`, the machines, the links and one
 * dialed socket, with the three dependencies; what every user pays. Sessions, transmissions and the codecs of
 * protocols come on top when they are imported. `npm run size` bundles this file and fails beyond the budget.
 */
export { AuthedSocket, withoutRooms } from '../../src/index.ts'
