/** What the kit says of servers that speak no rooms protocol: the article's, and a plain socket. */
import { afterAll, describe, expect, it } from 'vitest'
import { checkConformance, formatReport } from '../../src/conformance/index.ts'
import { viaQuery, viaSubprotocol } from '../../src/index.ts'
import { type ServerName, startServer, type TestServer } from '../support/servers.ts'
import { optionsFor } from './minting.ts'

const servers = new Map<ServerName, Promise<TestServer>>()
const serverOf = (name: ServerName): Promise<TestServer> => {
  const server = servers.get(name) ?? startServer(name)
  servers.set(name, server)
  return server
}
afterAll(async () => {
  for (const server of servers.values()) await (await server).stop()
})

const NO_ECHO = /authed-rooms\.v1 was offered, and the server accepted and sent no Sec-WebSocket/
const BEFORE_ACCEPT =
  /a bad token, and none, is refused before accept \(HTTP 403\): a browser sees 1006/
const ACCEPT_FIRST = /^accept first, then close with 4003: a close before accept never reaches/

interface Case {
  readonly name: ServerName
  readonly path: string
  readonly by: 'query' | 'subprotocol'
  readonly works: readonly RegExp[]
  readonly lacks: readonly RegExp[]
  readonly change: readonly RegExp[]
}

const CASES: readonly Case[] = [
  ...(['channels-daphne', 'channels-uvicorn-websockets'] as const).map(
    (name): Case => ({
      name,
      path: '/ws/chat/lobby/',
      by: 'query',
      works: [
        /^a good token \(query\) is let in$/,
        /greeted with JSON \{ message \}/,
        /comes back to its sender as JSON \{ message, username \}/,
        /goes to the others at this URL/,
      ],
      lacks: [
        NO_ECHO,
        /no number and no acknowledgement/,
        /^text that is no JSON ends the connection \((1011|1006)\)/,
        /^a binary frame ends the connection/,
        BEFORE_ACCEPT,
      ],
      change: [/roomPerSocket/, /catch the error of json\.loads/, ACCEPT_FIRST],
    }),
  ),
  {
    name: 'fastapi-websockets',
    path: '/ws/chat/lobby',
    by: 'query',
    works: [
      /^a good token \(query\) is let in$/,
      /greeted with JSON \{ message \}/,
      /comes back to its sender as plain text/,
      /^text that is no JSON does not end the connection/,
    ],
    lacks: [
      NO_ECHO,
      /the others at this URL get nothing: it is an echo, and no room/,
      /no number and no acknowledgement/,
      /^a binary frame ends the connection/,
      BEFORE_ACCEPT,
    ],
    change: [/roomPerSocket/, /keep the connections of a room together/, /an error/, ACCEPT_FIRST],
  },
  {
    name: 'node',
    path: '/ws/plain',
    by: 'subprotocol',
    works: [
      /^a good token \(subprotocol\) is let in$/,
      /greeted/,
      /comes back to its sender/,
      /goes to the others/,
      /^text that is no JSON does not end/,
      /^a binary frame does not end/,
      /^a bad token, and none, is accepted and closed with 4003$/,
    ],
    lacks: [/authed-rooms\.v1 came back, as any word would, and then no welcome/, /no number/],
    change: [/roomPerSocket/],
  },
  {
    name: 'node',
    path: '/ws/nowhere',
    by: 'subprotocol',
    works: [],
    lacks: [/answered HTTP 404 before it accepted/, /a good token .* is not let in: .* HTTP 404/],
    change: [/roomPerSocket/, /say how it travels .* and the whole path/],
  },
]

const WAYS = { query: viaQuery({ acceptLogging: true }), subprotocol: viaSubprotocol() }

describe('a server that speaks no rooms protocol', () => {
  it.each(CASES.map((each) => [`${each.name} ${each.path}`, each] as const))(
    '%s: is told in one line each what works, what does not and what to change',
    async (_, { name, path, by, works, lacks, change }) => {
      const server = await serverOf(name)
      const options = { ...optionsFor(server, path), transmission: WAYS[by], timeoutMs: 3_000 }
      const report = await checkConformance(options)
      expect(report).toMatchObject({ speaks: false, conforms: false, checks: [] })
      const wanted = { works, lacks, change }
      for (const [kind, patterns] of Object.entries(wanted)) {
        const lines = report.overview?.[kind as keyof typeof wanted] ?? []
        expect(lines, formatReport(report)).toEqual(
          patterns.map((pattern) => expect.stringMatching(pattern)),
        )
      }
      const [first, ...rest] = formatReport(report).split('\n')
      expect(first).toBe(`${server.wsUrl}${path} does not speak authed-rooms.v1`)
      expect(rest.map((line) => line.split(' ')[0])).toEqual(
        Object.entries(wanted).flatMap(([kind, patterns]) => patterns.map(() => kind)),
      )
    },
  )
})
