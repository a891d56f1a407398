import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import { refuseToken } from './connections.ts'
import type { DialFault } from './faults.ts'
import { readFirstMessage } from './first-message.ts'
import type { OrderedClose } from './handshake-faults.ts'
import { closeInOneWrite, failedByFault, orderedClose, refuse } from './handshake-faults.ts'
import type { Route, Services } from './routes.ts'
import { routeOf } from './routes.ts'
import type { Connection, DialRecord, ServerState } from './state.ts'
import type { Tokens, Verdict } from './tokens.ts'
import { offeredProtocols, readCarried } from './transmissions.ts'

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Above it `ws` closes with 1009 by itself; the frame limit of the rooms protocol is far below. */
const HARD_FRAME_LIMIT = 4_194_304

interface Dial {
  request: IncomingMessage
  socket: Duplex
  head: Buffer
  record: DialRecord
  fault: DialFault | undefined
}

export class Handshake {
  readonly #state: ServerState
  readonly #tokens: Tokens
  readonly #services: Services
  readonly #answered = new WeakMap<IncomingMessage, string | false>()
  readonly #wss: WebSocketServer

  constructor(state: ServerState, tokens: Tokens, services: Services) {
    this.#state = state
    this.#tokens = tokens
    this.#services = services
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: HARD_FRAME_LIMIT,
      // Always false: `ws` would only echo what was offered, and a fault must be able to do otherwise.
      handleProtocols: () => false,
    })
    this.#wss.on('headers', (headers, request) => {
      const protocol = this.#answered.get(request)
      if (protocol) headers.push(`Sec-WebSocket-Protocol: ${protocol}`)
    })
  }

  readonly upgrade: Upgrade = (request, socket, head) => {
    // A peer that vanishes while we still think must not end the process.
    socket.on('error', () => socket.destroy())
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const record: DialRecord = {
      at: Date.now(),
      path,
      transmissions: readCarried(request).map(({ transmission }) => transmission),
      protocols: offeredProtocols(request).length,
      outcome: 'pending',
    }
    this.#state.counts.dials += 1
    this.#state.dials.push(record)
    const dial: Dial = { request, socket, head, record, fault: this.#state.faults.takeDial() }
    this.#answer(dial).catch(() => socket.destroy())
  }

  async #answer(dial: Dial): Promise<void> {
    const { fault, record, socket } = dial
    if (failedByFault(socket, fault)) {
      record.outcome = 'faulty'
      return
    }
    if (fault?.kind === 'late') await delay(fault.ms)
    const route = routeOf(record.path)
    if (route === undefined || this.#state.settings.refuseSockets?.when === 'before-accept') {
      record.outcome = 'refused'
      refuse(socket, route === undefined ? 404 : 403)
      return
    }
    // Judged before the 101, so that no frame can arrive before its endpoint listens.
    this.#accept(dial, route, await this.#judge(dial.request))
  }

  async #judge(request: IncomingMessage): Promise<Verdict> {
    const carried = readCarried(request)
    const only = carried[0]
    if (only === undefined) return { ok: false, reason: 'missing' }
    if (carried.length > 1) return { ok: false, reason: 'ambiguous' }
    return this.#tokens.verify(only.token)
  }

  #accept(dial: Dial, route: Route, verdict: Verdict): void {
    const { fault, head, record, request, socket } = dial
    const order = orderedClose(this.#state, fault)
    const atOnce = order?.afterMs === 0 ? order : undefined
    this.#answered.set(request, this.#protocolFor(dial, route))
    // Corked only on demand: 101, frame and close in one segment is what breaks careless clients.
    if (atOnce) socket.cork()
    this.#wss.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate())
      if (atOnce) {
        record.outcome = 'closed-after-accept'
        closeInOneWrite(socket, webSocket, atOnce)
        return
      }
      if (!this.#services.speaks(route, offeredProtocols(request))) {
        record.outcome = 'refused'
        webSocket.close(1002, 'offer the subprotocol authed-rooms.v1')
        return
      }
      this.#schedule(dial, webSocket, order)
      const waits = route.waits || this.#services.waitsForToken(route)
      if (verdict.ok || verdict.reason !== 'missing' || !waits)
        this.#admit(dial, route, webSocket, verdict)
      else this.#wait(dial, route, webSocket).catch(() => webSocket.terminate())
    })
    if (atOnce) socket.uncork()
  }

  #protocolFor({ fault, request }: Dial, route: Route): string | false {
    if (fault?.kind === 'no-subprotocol') return false
    if (fault?.kind === 'wrong-subprotocol') return fault.value
    return this.#services.protocol(route, offeredProtocols(request))
  }

  /** No token came in the handshake: the first frame may bring it. */
  async #wait(dial: Dial, route: Route, socket: WebSocket): Promise<void> {
    const { token, release } = await readFirstMessage(socket, this.#state.settings.firstMessageMs)
    if (token !== undefined) dial.record.transmissions.push('first-message')
    const verdict: Verdict =
      token === undefined ? { ok: false, reason: 'missing' } : await this.#tokens.verify(token)
    if (socket.readyState !== socket.OPEN) return
    this.#admit(dial, route, socket, verdict)
    release()
  }

  #admit({ record, request }: Dial, route: Route, socket: WebSocket, verdict: Verdict): void {
    if (!verdict.ok) {
      record.outcome = 'token-refused'
      refuseToken({ socket }, `token ${verdict.reason}`)
      return
    }
    record.outcome = 'admitted'
    const { user, expiresAt } = verdict
    const connection: Connection = { socket, user, endpoint: route.endpoint, rooms: new Set() }
    this.#state.counts.accepted += 1
    this.#state.connections.add(connection)
    socket.on('close', () => this.#state.connections.delete(connection))
    this.#services.serve(connection, route, { url: request.url ?? '', expiresAt })
  }

  #schedule({ fault, socket }: Dial, webSocket: WebSocket, order: OrderedClose | undefined): void {
    if (fault?.kind === 'drop-tcp') setTimeout(() => socket.destroy(), fault.afterMs)
    if (order) setTimeout(() => closeInOneWrite(socket, webSocket, order), order.afterMs)
  }
}
