/** The rows of the table "What your server does" in README.md: each cell there is written as here. */
import {
  type AuthedSocketOptions,
  cookieSession,
  fixedToken,
  multiplexed,
  passwordGrant,
  plain,
  refreshGrant,
  roomPerSocket,
  simpleJwt,
  ticket,
  viaCookie,
  viaFirstMessage,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../src/index.ts'
import { house } from './own-protocol.ts'

type Row = Pick<AuthedSocketOptions, 'auth' | 'transmission' | 'protocol'>

/** Functions, since sessions look at their URLs when they are made. */
export const rows = {
  channelsToken: (): Row => ({
    auth: simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' }),
    transmission: viaQuery(),
    protocol: roomPerSocket(),
  }),
  channelsSession: (): Row => ({
    auth: cookieSession({ login: '/login/' }),
    protocol: roomPerSocket(),
  }),
  fastApiQuery: (): Row => ({
    auth: passwordGrant({ url: '/token' }),
    transmission: viaQuery(),
    protocol: roomPerSocket({ envelope: { encode: String } }),
  }),
  subprotocolPair: (): Row => ({
    auth: passwordGrant({ url: '/token' }),
    transmission: viaSubprotocol(),
    protocol: roomPerSocket(),
  }),
  subprotocolBearer: (): Row => ({
    auth: () => getToken(),
    transmission: viaSubprotocol({ preset: 'bearer', app: 'chat' }),
    protocol: plain(),
  }),
  header: (): Row => ({
    auth: fixedToken(apiKey()),
    transmission: viaHeader(),
    protocol: plain(),
  }),
  cookie: (): Row => ({
    auth: fixedToken(apiKey()),
    transmission: viaCookie({ name: 'access_token' }),
    protocol: plain(),
  }),
  ticketInUrl: (): Row => ({
    auth: ticket({ url: '/api/ticket/', session }),
    transmission: viaQuery(),
    protocol: plain(),
  }),
  firstFrame: (): Row => ({
    auth: () => getToken(),
    transmission: viaFirstMessage({ frame, accepted }),
    protocol: plain(),
  }),
  oauth: (): Row => ({
    auth: refreshGrant({ url: '/oauth/token', clientId, refreshToken }),
    transmission: viaSubprotocol(),
    protocol: plain(),
  }),
  ownFrames: (): Row => ({
    auth: () => getToken(),
    transmission: viaSubprotocol(),
    protocol: house,
  }),
  rooms: (): Row => ({
    auth: () => getToken(),
    transmission: viaSubprotocol(),
    protocol: multiplexed(),
  }),
}

/** Stands for your auth library. */
export const library = { token: '' }
const getToken = async (): Promise<string> => library.token
const apiKey = (): string => library.token
const session = () => getToken()
const frame = (token: string): object => ({ type: 'auth', id: 0, token })
const accepted = (said: unknown): boolean => Object(Object(said).message).startsWith('Welcome, ')
const clientId = 'chat'
const refreshToken = 'of-the-code-flow'
