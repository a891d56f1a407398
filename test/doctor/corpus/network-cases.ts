/** The way to the server: names, ports, TLS, and what nobody answers. */
import { plain, viaQuery, viaSubprotocol } from '../../../src/index.ts'
import type { Case } from './case.ts'
import { freePort, sockets, tcp, web } from './handmade.ts'
import { makeCertificate } from './python.ts'

const at = (url: string) => ({
  url,
  auth: () => 'a-token-that-nobody-has',
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
})

export const networkCases: readonly Case[] = [
  {
    title: 'a host that has no address',
    is: 'dns',
    make: async () => ({ ...at('ws://no-such-host.invalid/ws'), allowInsecure: true }),
  },
  {
    title: 'nothing listens on the port',
    is: 'port-refused',
    make: async () => at(`ws://127.0.0.1:${await freePort()}/ws`),
  },
  {
    title: 'a certificate that nobody signed',
    is: 'tls-certificate',
    make: async ({ keep, trusted }) => {
      const { port } = await keep(web({ tls: trusted, upgrade: sockets() }))
      return at(`wss://127.0.0.1:${port}/ws`)
    },
  },
  {
    title: 'a certificate that has expired',
    is: 'tls-certificate',
    names: 'CERT_HAS_EXPIRED',
    make: async ({ keep }) => {
      const tls = await makeCertificate('127.0.0.1', -3)
      const { port } = await keep(web({ tls, upgrade: sockets() }))
      return { ...at(`wss://127.0.0.1:${port}/ws`), webSocketOptions: { ca: tls.cert } }
    },
  },
  {
    title: 'a certificate for another name',
    is: 'tls-certificate',
    names: 'ERR_TLS_CERT_ALTNAME_INVALID',
    make: async ({ keep }) => {
      const tls = await makeCertificate('chat.example.com', 30)
      const { port } = await keep(web({ tls, upgrade: sockets() }))
      return { ...at(`wss://127.0.0.1:${port}/ws`), webSocketOptions: { ca: tls.cert } }
    },
  },
  {
    title: 'wss: to a port without TLS',
    is: 'tls-to-plain-port',
    make: async ({ node }) => at(`wss://127.0.0.1:${node.port}/ws/plain`),
  },
  {
    title: 'ws: to a port with TLS',
    is: 'plain-to-tls-port',
    make: async ({ keep, trusted }) => {
      const { port } = await keep(web({ tls: trusted, upgrade: sockets() }))
      return at(`ws://127.0.0.1:${port}/ws`)
    },
  },
  {
    title: 'ws: to a port with TLS that says so, as nginx does',
    is: 'plain-to-tls-port',
    make: async ({ keep, trusted }) => {
      const { connect } = await import('node:net')
      const { port: inner } = await keep(web({ tls: trusted, upgrade: sockets() }))
      // The first byte of a TLS handshake is 22.
      const { port } = await keep(
        tcp((socket) =>
          socket.once('data', (bytes) => {
            if (bytes[0] !== 22) {
              const page = '400 The plain HTTP request was sent to HTTPS port'
              socket.end(
                `HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
              )
              return
            }
            const server = connect(inner, '127.0.0.1')
            server.write(bytes)
            socket.pipe(server).pipe(socket)
            server.on('error', () => socket.destroy())
          }),
        ),
      )
      return at(`ws://127.0.0.1:${port}/ws`)
    },
  },
  {
    title: 'a port that speaks something else than HTTP',
    is: 'not-http',
    make: async ({ keep }) => {
      const { port } = await keep(tcp((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')))
      return at(`ws://127.0.0.1:${port}/ws`)
    },
  },
  {
    title: 'a connection that is reset',
    is: 'dropped',
    make: async ({ keep }) => {
      const { port } = await keep(
        tcp((socket) => socket.once('data', () => socket.resetAndDestroy())),
      )
      return at(`ws://127.0.0.1:${port}/ws`)
    },
  },
  {
    title: 'a server that has stopped answering',
    is: 'no-answer',
    slow: true,
    make: async ({ keep }) => {
      const { port } = await keep(tcp((socket) => socket.resume()))
      return { ...at(`ws://127.0.0.1:${port}/ws`), timeoutMs: 1_000 }
    },
  },
  {
    title: 'a page on https: that opens ws:',
    is: 'mixed-content',
    make: async () => ({
      ...at('ws://chat.example.com/ws'),
      page: 'https://app.example.com/',
    }),
  },
  {
    title: 'ws: to a host that is not this machine',
    is: 'insecure-url',
    make: async () => at('ws://chat.example.com/ws'),
  },
  {
    title: 'the token source is down',
    is: 'no-token',
    make: async ({ node }) => ({
      ...at(`${node.wsUrl}/ws/plain`),
      auth: () => {
        throw new Error('the auth library is offline')
      },
    }),
  },
  {
    title: 'nobody is signed in',
    is: 'no-token',
    make: async ({ node }) => ({ ...at(`${node.wsUrl}/ws/plain`), auth: () => null }),
  },
  {
    title: 'a token that no subprotocol can be',
    is: 'token-cannot-travel',
    names: 'bearer',
    make: async ({ node }) => ({
      ...at(`${node.wsUrl}/ws/plain`),
      auth: () => 'padded-base64-ends-so==',
      transmission: viaSubprotocol(),
    }),
  },
]
