import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureServices } from '../../scripts/services.mjs'
import { boundToUs, end, endWithUs, freePort, HOST, hasEnded } from './children.ts'

export interface NginxOptions {
  /** Ports of the servers behind, on 127.0.0.1; new connections go to them in turn. */
  upstreams: readonly number[]
  /** What stands in `server` in place of a location that forwards everything to `http://workers`. */
  server?: string
  /** Writes the access log that nginx writes when nothing is said of it. */
  logs?: true
}

export interface TestNginx {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `ws://127.0.0.1:PORT` */
  readonly wsUrl: string
  /** The access log so far; empty without `logs`. */
  accessLog(): Promise<string>
  stop(): Promise<void>
}

const ATTEMPTS = 5
const START_TIMEOUT_MS = 10_000
/** By then it has said that it could not listen. */
const SETTLE_MS = 100

const FORWARD = `
    location / {
      proxy_pass http://workers;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_connect_timeout 1s;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
      proxy_next_upstream error timeout http_502 http_503 http_504;
    }`

/**
 * As people put it in front of several workers: a connection that an upstream refuses goes to the next one, so
 * a client that is cut off finds another worker at once. No upstream is left out for its failures. nginx would
 * take it back only when a request to it has ended, and a WebSocket does not end: a worker that was restarted
 * would get one connection in each `fail_timeout`, and everybody else a 502.
 */
function configOf(port: number, { upstreams, server = FORWARD, logs }: NginxOptions): string {
  const servers = upstreams.map((each) => `server ${HOST}:${each} max_fails=0;`)
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log ${logs ? 'access.log' : 'off'};
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  upstream workers { ${servers.join(' ')} }
  server {
    listen ${HOST}:${port};
    ${server}
  }
}
`
}

/** A real nginx in front of several workers. */
export async function startNginx(options: NginxOptions): Promise<TestNginx> {
  const { nginx } = await ensureServices()
  const folder = await mkdtemp(join(tmpdir(), 'authed-socket-nginx-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      await writeFile(join(folder, 'nginx.conf'), configOf(port, options))
      const child = await launch(nginx, folder, port)
      return {
        port,
        url: `http://${HOST}:${port}`,
        wsUrl: `ws://${HOST}:${port}`,
        accessLog: () =>
          options.logs ? readFile(join(folder, 'access.log'), 'utf8') : Promise.resolve(''),
        stop: async () => {
          await end(child, 'SIGTERM')
          await remove()
        },
      }
    } catch (error) {
      // Somebody else may have taken the port in between.
      if (attempt < ATTEMPTS) continue
      await remove()
      throw error
    }
  }
}

async function launch(program: string, folder: string, port: number): Promise<ChildProcess> {
  // Its own error_log comes too late for what it says about the configuration.
  const args = ['-p', `${folder}/`, '-c', 'nginx.conf', '-e', 'stderr']
  const child = spawn(...boundToUs(program, args), { stdio: ['ignore', 'ignore', 'pipe'] })
  endWithUs(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_096)
  })
  const until = Date.now() + START_TIMEOUT_MS
  while (Date.now() < until) {
    const isThere = await accepts(port)
    await new Promise((resolve) => setTimeout(resolve, isThere ? SETTLE_MS : 20))
    if (hasEnded(child)) throw new Error(`nginx ended before it listened\n${said}`)
    // Somebody else listens there, and nginx tries on for seconds.
    if (said.includes('bind() to')) break
    if (isThere) return child
  }
  await end(child, 'SIGKILL')
  throw new Error(`nginx did not listen within ${START_TIMEOUT_MS} ms\n${said}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
    const settle = (does: boolean): void => {
      socket.destroy()
      resolve(does)
    }
    socket.once('connect', () => settle(true)).once('error', () => settle(false))
  })
}
