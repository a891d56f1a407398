import type { Facts } from '../facts.ts'
import { serverOf } from '../queries.ts'
import { ACCEPT_THEN_CLOSE, type WordsFor } from './words.ts'

/** Something answered in HTTP. */
export const answeredWords: WordsFor<
  | 'captive-portal'
  | 'web-page'
  | 'redirect'
  | 'upgrade-lost'
  | 'no-websocket-support'
  | 'bad-gateway'
  | 'rate-limited'
  | 'proxy-login'
  | 'broken-upgrade'
  | 'wrong-slash'
  | 'wrong-path'
  | 'header-too-large'
  | 'origin-refused'
  | 'close-before-accept'
  | 'exception-before-accept'
  | 'handshake-refused'
> = {
  'captive-portal': () => ({
    says: 'Something between you and the server answers everything in its name: the sign-in page of a network, or a login proxy.',
    fix: 'Sign in to the network. Use `wss://`: nobody can answer in the name of the server there.',
  }),
  'web-page': ({ status }) => ({
    says: `The path is answered by a web page (HTTP ${status}), not by a socket server.`,
    fix: 'In the client: the path in `url`. In the proxy: a location for this path, in front of the one for the pages, that forwards the upgrade.',
  }),
  redirect: ({ leads }) => ({
    says: {
      'to-tls': 'The server redirects to TLS, and browsers follow no redirect of a WebSocket.',
      'same-host':
        'The server redirects to another path, and browsers follow no redirect of a WebSocket.',
      'other-host':
        'The server redirects to another host, such as a login, and browsers follow no redirect of a WebSocket.',
    }[leads],
    fix: {
      'to-tls': '`url: "wss://…"`.',
      'same-host': 'Write the path that it redirects to into `url`.',
      'other-host':
        'Except the path of the socket from the login proxy, or give `url` the host itself.',
    }[leads],
  }),
  'upgrade-lost': ({ status }, facts) => ({
    says: `The upgrade was answered as an ordinary request (HTTP ${status}${by(facts)}): a proxy takes the Upgrade header away, or the server program knows no WebSockets.`,
    fix: 'nginx: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`. Without a proxy: `pip install "uvicorn[standard]"`, or daphne first in INSTALLED_APPS.',
  }),
  'no-websocket-support': ({ server }) => ({
    says: `${server} runs the application by WSGI, which has no WebSockets: it saw an ordinary request.`,
    fix: 'Run it by ASGI: `daphne project.asgi:application`, `uvicorn project.asgi:application`, or `gunicorn -k uvicorn.workers.UvicornWorker`.',
  }),
  'bad-gateway': ({ status }) => ({
    says: `A proxy answers HTTP ${status}: it does not get an answer from the application.`,
    fix: 'Start the application; check the address in `proxy_pass` or its like, and the log of the proxy.',
  }),
  'rate-limited': () => ({
    says: 'The server counts too many connections (HTTP 429).',
    fix: 'Dial less often, or raise the limit for this path.',
  }),
  'proxy-login': () => ({
    says: 'The server, or a proxy, asks for a user and password (HTTP Basic) before the application sees anything.',
    fix: 'Except the path of the socket from it: nginx `auth_basic off;` in its location.',
  }),
  'broken-upgrade': ({ flaw }) => ({
    says:
      flaw === 'accept-key'
        ? 'The server switched protocols with a Sec-WebSocket-Accept that does not belong to this handshake. Every client gives up then.'
        : 'The server switched an extension on that was not offered. Every client gives up then.',
    fix: 'Let a WebSocket library answer the handshake, and no cache stand in front of it.',
  }),
  'wrong-slash': ({ path }) => ({
    says: `The slash at the end of the path is wrong: ${path} is there.`,
    fix: `\`url: "…${path}"\`. Routes of Django end with a slash, those of FastAPI do not.`,
  }),
  'wrong-path': ({ path }) => ({
    says: path ? `No socket is at this path. One is at ${path}.` : 'No socket is at this path.',
    fix: path
      ? `\`url: "…${path}"\`.`
      : 'Write the path into `url` as the route of the server spells it, with every prefix of a router or proxy.',
  }),
  'header-too-large': ({ tokenLength }) => ({
    says: `The token is too long for the server: ${tokenLength} characters. A short one gets another answer.`,
    fix: 'Put less into the token, or raise the limit: nginx `large_client_header_buffers`, Node `--max-http-header-size`, uvicorn `--h11-max-incomplete-event-size`.',
  }),
  'origin-refused': ({ takes }) => ({
    says:
      takes === 'none'
        ? 'The server refuses this Origin. Without one it opens.'
        : 'The server refuses the Origin of this dial, or that there is none. With its own it opens.',
    fix: 'On the server: the Origin of the page in its list (Channels: ALLOWED_HOSTS with `AllowedHostsOriginValidator`). In Node: `webSocketOptions: { headers: { Origin: "https://your.app" } }`.',
  }),
  'close-before-accept': (_cause, { trials }) => ({
    says: `The application closed the socket before it accepted it. That becomes HTTP 403 whatever code it gave, and a browser sees 1006 as for a dead network. ${
      trials.get('unknown-path')?.kind === 'answer' ? whatWasRefused(trials) : ''
    }`.trim(),
    fix: `On the server: ${ACCEPT_THEN_CLOSE}. Then look which check refuses this token or room.`,
  }),
  'exception-before-accept': () => ({
    says: 'The application raised an exception before it accepted (HTTP 500). Channels does so, too, where no route matches the path.',
    fix: 'The log of the server has the traceback. `ValueError: No route found for path`: the path in `url`. Anything else: catch it where the token is checked, accept, and close with a code.',
  }),
  'handshake-refused': ({ status }) => ({
    says: `The server, or a proxy in front of it, refused the handshake with HTTP ${status}. A browser sees 1006 only.${
      status === 400 ? ' `ws` answers 400 to a path other than its own.' : ''
    }`,
    fix: `Look for this status in the logs, of the proxy first. Where the application refuses: ${ACCEPT_THEN_CLOSE}.`,
  }),
}

const by = (facts: Facts): string => {
  const server = serverOf(facts)
  return server ? ` by ${server}` : ''
}

const whatWasRefused = (trials: ReadonlyMap<string, { readonly kind: string }>): string => {
  const [base, nowhere] = [trials.get('base'), trials.get('unknown-path')] as { status?: number }[]
  return base?.status === nowhere?.status
    ? 'FastAPI answers a path that no route matches in the same way.'
    : 'The path is there: another one is answered differently.'
}
