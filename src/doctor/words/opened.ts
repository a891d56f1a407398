import type { Facts } from '../facts.ts'
import { clocksDiffer } from '../lifetime.ts'
import { skewOf } from '../queries.ts'
import { seconds, type WordsFor } from './words.ts'

/** The socket opened. */
export const openedWords: WordsFor<
  | 'healthy'
  | 'unknown'
  | 'came-back'
  | 'exception-after-accept'
  | 'closed-after-accept'
  | 'server-restarting'
  | 'idle-cut'
  | 'cut-while-open'
  | 'no-pong'
  | 'no-welcome'
  | 'workers-not-shared'
  | 'no-broadcast'
> = {
  healthy: (_cause, facts) => ({
    says: `It opens, and stays open for ${seconds(facts.watchMs)}.${notes(facts)}`,
    fix: 'Nothing. A proxy that cuts idle sockets after a minute shows only to who watches longer: `watchMs: 70_000`.',
  }),
  unknown: (_cause, { sight }) => ({
    says:
      sight === 'browser'
        ? 'A browser shows no more than that it failed.'
        : 'What was seen fits no single cause.',
    fix:
      sight === 'browser'
        ? 'Run it in Node, where statuses can be seen: `npx authed-socket doctor <url> --page <url of the page>`.'
        : 'Look into the log of the server at the time of the dials, and of the proxy in front of it.',
  }),
  'came-back': () => ({
    says: 'The first dial failed, and the same dial worked a moment later: the server was restarting, or one of its workers is broken.',
    fix: 'Nothing in the client: it dials again. Look whether all workers are alike.',
  }),
  'exception-after-accept': () => ({
    says: 'The server accepts and ends the socket at once: the application raised an exception, or returned.',
    fix: 'The log of the server has the traceback. uvicorn ends TCP then (1006), daphne closes with 1011, which is also what it makes of 1008: close with 4003 there.',
  }),
  'closed-after-accept': ({ code, afterMs }) => ({
    says: `The server closes with ${code}, ${seconds(afterMs)} after the accept.`,
    fix: 'Look on the server what closes with this code; tell the client what it means: `closePolicy`.',
  }),
  'server-restarting': ({ code }) => ({
    says: `The server closes with ${code}: it restarts, or takes nobody now.`,
    fix: 'Nothing in the client: it dials again. Ask again when the server is up.',
  }),
  'idle-cut': ({ afterMs }) => ({
    says: `A socket on which nothing is said is cut after ${seconds(afterMs)}; with pings it stays.`,
    fix: 'Ping more often than that: a `heartbeat` in the envelope that your server knows, uvicorn `--ws-ping-interval`. Or raise the limit of the proxy: nginx `proxy_read_timeout 3600s;`.',
  }),
  'cut-while-open': ({ afterMs }) => ({
    says: `The socket is cut after ${seconds(afterMs)}, without a close frame, whatever is said on it.`,
    fix: 'Look for a limit to the life of a connection in the proxy, or for a server that waits for a first message.',
  }),
  'no-pong': () => ({
    says: 'The socket opens, and then nothing comes back: a ping is not answered.',
    fix: 'A proxy accepts the upgrade and passes no frames on: forward the connection as a tunnel.',
  }),
  'no-welcome': (_cause, { token }) => ({
    says:
      token.carried === 'frame'
        ? 'The socket opens, the token is sent in the first frame, and no frame comes that `accepted` takes for its answer.'
        : 'The socket opens, and the greeting that the protocol begins with does not come.',
    fix: token.carried === 'frame' ? ANSWER : GREETING,
  }),
  'workers-not-shared': () => ({
    says: 'Sockets in one room hear only some of the others: they are on workers that do not share what is sent.',
    fix: 'A shared layer: Channels `CHANNEL_LAYERS` with channels_redis instead of InMemoryChannelLayer; FastAPI Redis pub/sub instead of a list in memory. Or one worker.',
  }),
  'no-broadcast': () => ({
    says: 'No socket in the room hears another: the server does not pass this message on, or each socket is on a worker of its own.',
    fix: 'On the server: send what comes to the whole room. With many workers: a shared layer.',
  }),
}

const GREETING =
  'The option `protocol`: `multiplexed()` needs a server with the rooms protocol; for others `plain()` or `roomPerSocket()`, with a `greeting` only where it always comes. Where the server greets after a token in the first frame: `viaFirstMessage()`.'
const ANSWER =
  '`frame` in the shape that the server reads, and `accepted` for the frame by which it answers; a server that never answers has no first message. Or `transmission`, where it reads the token in the handshake.'

const notes = (facts: Facts): string => {
  const fake = facts.trials.get('fake-token')
  const open =
    fake?.kind === 'open' && !fake.flaw && !fake.end
      ? ' It opens with a made-up token as well: nothing checks it, or it waits for a first frame.'
      : ''
  const skew = skewOf(facts)
  return skew !== undefined && clocksDiffer(facts)
    ? `${open} The clock of this machine is ${seconds(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} the server's.`
    : open
}
