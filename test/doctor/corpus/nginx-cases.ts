/** A real nginx in front of real servers, as it is often set up wrongly. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { plain, roomPerSocket, viaQuery, viaSubprotocol } from '../../../src/index.ts'
import { startNginx } from '../../support/nginx.ts'
import type { Case, Stage } from './case.ts'
import { freePort, sockets, web } from './handmade.ts'
import { mint } from './jwt.ts'
import { type Running, startPython } from './python.ts'

const query = viaQuery({ acceptLogging: true })
const TOKEN = mint({ sub: 'alice' })
const LONG = `${TOKEN}${'x'.repeat(20_000)}`

const UPGRADE = `
  proxy_pass http://workers;
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "upgrade";`

async function nginx(server: string, ...upstreams: number[]): Promise<Running> {
  const { port, stop } = await startNginx({ server, upstreams: [...upstreams, 9].slice(0, 2) })
  return { port, close: stop }
}

/** Removed when it is closed, though a server that ends at the same time may still write to it. */
async function folder(name: string) {
  const path = await mkdtemp(`${tmpdir()}/authed-socket-${name}-`)
  return { path, close: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

const to = (port: number, path = '/ws') => ({
  url: `ws://127.0.0.1:${port}${path}`,
  auth: () => TOKEN,
  transmission: query,
  protocol: plain(),
})

/** One that answers by itself. */
const alone = (title: string, is: Case['is'], server: string, names?: string): Case => ({
  title: `nginx ${title}`,
  is,
  ...(names !== undefined && { names }),
  make: async ({ keep }) => to((await keep(nginx(server, 9))).port),
})

const behind = async (
  { keep, token }: Stage,
  server: Stage['fastapi'],
  config: string,
  path: string,
) => {
  const { port } = await keep(nginx(config, server.port))
  const valid = await token(server)
  return { ...to(port, path), auth: () => valid }
}

export const nginxCases: readonly Case[] = [
  {
    title: 'nginx in front of FastAPI without the headers of the upgrade',
    is: 'upgrade-lost',
    names: 'proxy_set_header Upgrade',
    make: (stage) =>
      behind(stage, stage.fastapi, 'location / { proxy_pass http://workers; }', '/ws/chat/lobby'),
  },
  {
    title: 'nginx in front of daphne without the headers of the upgrade',
    is: 'upgrade-lost',
    make: (stage) =>
      behind(
        stage,
        stage.daphne,
        // Django answers 400 to a Host that it does not know, which would be another fault.
        'location / { proxy_pass http://workers; proxy_set_header Host $http_host; }',
        '/ws/chat/lobby/',
      ),
  },
  {
    title: 'nginx that cuts silent sockets after a second',
    is: 'idle-cut',
    timed: true,
    slow: true,
    names: 'proxy_read_timeout',
    make: (stage) =>
      behind(stage, stage.node, `location / { ${UPGRADE} proxy_read_timeout 1s; }`, '/ws/plain'),
  },
  {
    title: 'a close before the accept, through nginx (uvicorn)',
    is: 'close-before-accept',
    make: async ({ keep, fastapi }) => {
      const { port } = await keep(nginx(`location / { ${UPGRADE} }`, fastapi.port))
      return to(port, '/ws/chat/lobby')
    },
  },
  {
    title: 'a close before the accept, through nginx (daphne)',
    is: 'close-before-accept',
    make: async ({ keep, daphne }) => {
      const { port } = await keep(nginx(`location / { ${UPGRADE} }`, daphne.port))
      return to(port, '/ws/chat/lobby/')
    },
  },
  {
    title: 'the slash is missing, behind nginx (daphne)',
    is: 'wrong-slash',
    make: (stage) => behind(stage, stage.daphne, `location / { ${UPGRADE} }`, '/ws/chat/lobby'),
  },
  {
    title: 'two workers behind nginx without a shared layer',
    is: 'workers-not-shared',
    slow: true,
    make: async ({ keep }) => {
      const { path: data } = await keep(folder('workers'))
      const worker = () =>
        startPython('test/servers/channels/run.py', '--server', 'uvicorn-wsproto', '--data', data)
      // One after the other: the first makes the key that both use.
      const first = (await keep(worker())).port
      const second = (await keep(worker())).port
      const { port } = await keep(nginx(`location / { ${UPGRADE} }`, first, second))
      const response = await fetch(`http://127.0.0.1:${first}/_control/mint`, {
        method: 'POST',
        body: JSON.stringify({ user: 'alice', kind: 'valid' }),
      })
      const { access } = (await response.json()) as { access: string }
      return {
        ...to(port, '/ws/v2/chat/{room}/'),
        auth: () => access,
        protocol: roomPerSocket(),
        room: 'lobby',
        crowd: { message: (mark: string) => ({ message: mark }), sockets: 4 },
      }
    },
  },
  {
    title: 'nginx whose application is not running',
    is: 'bad-gateway',
    make: async ({ keep }) =>
      to((await keep(nginx(`location / { ${UPGRADE} }`, await freePort()))).port),
  },
  {
    title: 'nginx that has no patience with the application',
    is: 'bad-gateway',
    make: async ({ keep, fastapi }) => {
      const { port } = await keep(
        nginx(`location / { ${UPGRADE} proxy_read_timeout 1s; }`, fastapi.port),
      )
      return to(port, '/_probe/accept-late?seconds=30')
    },
  },
  alone('that denies the path', 'handshake-refused', 'location / { deny all; }'),
  alone(
    'that asks for a password',
    'proxy-login',
    'location / { auth_basic "staging"; auth_basic_user_file nginx.conf; }',
  ),
  alone('that redirects to TLS', 'redirect', 'return 301 https://$host$request_uri;', 'wss://'),
  alone('that serves files, and not this path', 'wrong-path', 'location / { root /nowhere; }'),
  alone(
    'that serves a single-page application for every path',
    'web-page',
    'location / { default_type text/html; return 200 "<div id=root></div>"; }',
  ),
  {
    title: 'nginx and a token too long for a line (query)',
    is: 'header-too-large',
    make: async ({ keep, node }) => ({
      ...to((await keep(nginx(`location / { ${UPGRADE} }`, node.port))).port, '/ws/plain'),
      auth: () => LONG,
    }),
  },
  {
    title: 'nginx and a token too long for a header (subprotocol)',
    is: 'header-too-large',
    make: async ({ keep, node }) => ({
      ...to((await keep(nginx(`location / { ${UPGRADE} }`, node.port))).port, '/ws/plain'),
      auth: () => LONG,
      transmission: viaSubprotocol(),
    }),
  },
  {
    title: 'nginx that lets one Origin through',
    is: 'origin-refused',
    make: async ({ keep, node, token }) => {
      const rule = 'if ($http_origin != "http://$http_host") { return 403; }'
      const { port } = await keep(nginx(`location / { ${rule} ${UPGRADE} }`, node.port))
      const valid = await token(node)
      return { ...to(port, '/ws/plain'), auth: () => valid, page: 'https://app.example.com' }
    },
  },
  {
    title: 'ws: to nginx with TLS',
    is: 'plain-to-tls-port',
    make: async ({ keep, trusted }) => {
      const { path } = await keep(folder('tls'))
      await writeFile(`${path}/cert.pem`, trusted.cert)
      await writeFile(`${path}/key.pem`, trusted.key)
      const { port: inner } = await keep(web({ upgrade: sockets() }))
      const tls = await freePort()
      await keep(
        nginx(
          `listen 127.0.0.1:${tls} ssl; ssl_certificate ${path}/cert.pem;
           ssl_certificate_key ${path}/key.pem; location / { ${UPGRADE} }`,
          inner,
        ),
      )
      return to(tls)
    },
  },
]
