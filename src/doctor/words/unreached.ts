import { serverOf } from '../queries.ts'
import { ACCEPT_THEN_CLOSE, seconds, type WordsFor } from './words.ts'

/** The socket server was not reached. */
export const unreachedWords: WordsFor<
  | 'no-token'
  | 'token-cannot-travel'
  | 'insecure-url'
  | 'mixed-content'
  | 'blocked-by-csp'
  | 'offline'
  | 'dns'
  | 'host-unreachable'
  | 'port-refused'
  | 'tls-certificate'
  | 'tls-failed'
  | 'tls-to-plain-port'
  | 'plain-to-tls-port'
  | 'not-http'
  | 'no-answer'
  | 'never-accepted'
  | 'dropped'
> = {
  'no-token': ({ detail }) => ({
    says: `Nothing was dialed: there is no token. ${detail}`,
    fix: 'Sign in first (`session.login()`), or mend what the option `auth` calls.',
  }),
  'token-cannot-travel': ({ detail }) => ({
    says: `Nothing was dialed: ${detail}.`,
    fix: "Another transmission carries every token: `transmission: viaSubprotocol('bearer')` or `viaQuery()`; the server must read it there.",
  }),
  'insecure-url': ({ detail }) => ({
    says: `Nothing was dialed: ${detail}.`,
    fix: '`url: "wss://…"`; only inside a network that you trust `allowInsecure: true`.',
  }),
  'mixed-content': () => ({
    says: 'The page is on https: and the socket on ws:. Browsers refuse that before anything is sent.',
    fix: '`url: "wss://…"`, and TLS on the server or the proxy in front of it.',
  }),
  'blocked-by-csp': () => ({
    says: "The page's Content-Security-Policy forbids the connection; nothing was sent.",
    fix: "In the policy: `connect-src 'self' wss://<host of the socket>`.",
  }),
  offline: () => ({
    says: 'The browser says that this machine is offline.',
    fix: 'Nothing to change: the socket dials again when the network is back.',
  }),
  dns: ({ code }) => ({
    says: `The name of the host has no address (${code}).`,
    fix: 'In the client: the host in `url`. Otherwise: the DNS record, or this machine’s resolver.',
  }),
  'host-unreachable': ({ code }) => ({
    says: `The host's address does not answer (${code}): it is down, or a firewall drops the packets.`,
    fix: 'Open the port in the firewall or security group; check the port in `url`.',
  }),
  'port-refused': () => ({
    says: 'The host is there, and nothing listens on the port.',
    fix: 'Start the server; check the port in `url`; let it listen on more than 127.0.0.1 (`--host 0.0.0.0`, daphne `-b 0.0.0.0`).',
  }),
  'tls-certificate': ({ code }) => ({
    says: `The certificate of the server is not accepted (${code}). A browser refuses it as well, without saying so to the page.`,
    fix: 'Renew the certificate, for this host name and with its whole chain; for one of your own authority `webSocketOptions: { ca }` in Node. Check this machine’s clock where it is said to be expired or not yet valid.',
  }),
  'tls-failed': ({ code }) => ({
    says: `The port speaks TLS differently, or not at all (${code}).`,
    fix: 'Check the port in `url`, and that the server offers TLS 1.2 or 1.3 with HTTP/1.1.',
  }),
  'tls-to-plain-port': () => ({
    says: 'The url says wss:, and the port answers plain HTTP only.',
    fix: 'The port of the TLS proxy in `url`; on the own machine `ws://`.',
  }),
  'plain-to-tls-port': () => ({
    says: 'The url says ws:, and the port speaks TLS.',
    fix: '`url: "wss://…"`.',
  }),
  'not-http': () => ({
    says: 'What listens on the port does not speak HTTP.',
    fix: 'The port in `url`: it belongs to another program.',
  }),
  'no-answer': ({ afterMs }) => ({
    says: `TCP connects, and nothing answers within ${seconds(afterMs)}: neither the upgrade nor an ordinary request.`,
    fix: 'Look at the server: it hangs (a blocking call in the event loop), or a proxy in front of it has lost it.',
  }),
  'never-accepted': ({ afterMs }, facts) => ({
    says:
      serverOf(facts) === 'daphne'
        ? `daphne gave up after ${seconds(afterMs)}: the application neither accepted nor closed, or it accepted with a subprotocol that was not offered.`
        : `Ordinary requests are answered, the upgrade is not within ${seconds(afterMs)}: the application neither accepts nor closes.`,
    fix: `On the server, before the accept: no slow query, no lock, and a decision on every path. ${ACCEPT_THEN_CLOSE}.`,
  }),
  dropped: ({ afterMs }) => ({
    says: `The connection is dropped after ${seconds(afterMs)}, without an answer to the upgrade.`,
    fix: 'Look into the log of the server, then of the proxy in front of it: one of them ends TCP instead of answering.',
  }),
}
