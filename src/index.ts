/** authed-socket: authenticated WebSocket connections to the server that you already have. */

export type { Diary } from './core/diary.ts'
export type { Swap } from './core/link-state.ts'
export type { ClosePolicy, PolicyRecord, StatusPolicy } from './core/policy.ts'
export type { Member, PresenceChange, PresenceEntry, PresenceKey } from './core/presence.ts'
export type { Action } from './core/problem.ts'
export type { Verdict } from './core/verdict.ts'
export { diary } from './diary/diary.ts'
export {
  type AnyAuthedSocketError,
  AuthedSocketError,
  CredentialRejectedError,
  type EndpointWords,
  type ErrorCode,
  HandshakeRefusedError,
  InsecureUrlError,
  isAuthedSocketError,
  NotConnectedError,
  OutboxFullError,
  RequestFailedError,
  RoomError,
  SendUnknownError,
  ServerClosedError,
  SubprotocolError,
  TokenInvalidError,
  TokenRefusedError,
  TokenUnavailableError,
} from './errors.ts'
export { roomsOnOneSocket, socketPerRoom, withoutRooms } from './links/judged.ts'
export type {
  CallOptions,
  HistoryOptions,
  MessageOptions,
  Receipt,
  SendOptions,
} from './links/order.ts'
export type {
  JoinOptions,
  Message,
  RoomEvents,
  RoomState,
} from './links/room-control.ts'
export { swap } from './links/swap.ts'
export type { AuthedSocketOptions, Logger, ProbeResult, UrlContext } from './options.ts'
export type {
  Correlate,
  CorrelatedAnswer,
  Envelope,
  EnvelopeHeartbeat,
} from './protocols/envelope.ts'
export { type MultiplexedOptions, multiplexed } from './protocols/multiplexed.ts'
export { plain } from './protocols/plain.ts'
export type {
  Codec,
  Heartbeat,
  HistoryPage,
  HistoryRequest,
  Incoming,
  JoinRequest,
  MessageMeta,
  Protocol,
  RoomMessage,
  RoomStrategy,
  ServerLimits,
} from './protocols/protocol.ts'
export { type RoomPerSocketOptions, roomPerSocket } from './protocols/room-per-socket.ts'
export type { History, Room } from './room.ts'
export type { Claims } from './sessions/claims.ts'
export { type CookieSessionOptions, cookieSession } from './sessions/cookie-session.ts'
export type { CsrfOptions } from './sessions/csrf.ts'
export type { Field } from './sessions/fields.ts'
export { type FixedTokenOptions, fixedToken } from './sessions/fixed-token.ts'
export type {
  AuthAnswer,
  AuthFunction,
  TokenAsk,
  TokenWithExpiry,
} from './sessions/function-source.ts'
export type { LoginOptions } from './sessions/login-options.ts'
export type { PasswordCredentials } from './sessions/password.ts'
export { type PasswordGrantOptions, passwordGrant } from './sessions/password-grant.ts'
export { type RefreshGrantOptions, refreshGrant } from './sessions/refresh-grant.ts'
export type { Session, SessionEvents } from './sessions/session.ts'
export { type SimpleJwtOptions, simpleJwt } from './sessions/simple-jwt.ts'
export { shareTabs, type TabsOptions } from './sessions/tabs.ts'
export type { Tabs } from './sessions/tabs-port.ts'
export { type TicketOptions, ticket } from './sessions/ticket.ts'
export type { EndpointAnswer } from './sessions/token-endpoint.ts'
export type { TokenStore } from './sessions/token-store.ts'
export type { Gap } from './shell/channel.ts'
export type { ListenOptions } from './shell/emitter.ts'
export type { WebSocketConstructor, WebSocketLike } from './shell/websocket.ts'
export { AuthedSocket } from './socket.ts'
export type { SocketEvents, Status } from './status.ts'
export type {
  FirstMessage,
  FirstMessagePort,
  Handshake,
  SocketListener,
  Transmission,
} from './transmissions/transmission.ts'
export { type CookieOptions, viaCookie } from './transmissions/via-cookie.ts'
export {
  type FirstMessageOptions,
  type FirstMessagePreset,
  viaFirstMessage,
} from './transmissions/via-first-message.ts'
export { type HeaderOptions, viaHeader } from './transmissions/via-header.ts'
export { type QueryOptions, viaQuery } from './transmissions/via-query.ts'
export {
  type SubprotocolFunction,
  type SubprotocolOptions,
  type SubprotocolPreset,
  viaSubprotocol,
} from './transmissions/via-subprotocol.ts'
export type { RequestShape, RoomShape, Shape, Untyped } from './types.ts'
