/** How tokens travel here, for Node and for pages. */
import {
  type Transmission,
  viaCookie,
  viaFirstMessage,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../src/index.ts'

export type Way = 'query' | 'pair' | 'bearer' | 'first-message' | 'header' | 'cookie'

export const BROWSER_WAYS: readonly Way[] = ['query', 'pair', 'bearer', 'first-message']
export const WAYS: readonly Way[] = [...BROWSER_WAYS, 'header', 'cookie']

const isWelcome = (frame: unknown): boolean =>
  typeof frame === 'object' && frame !== null && 'message' in frame

const MAKERS: Readonly<Record<Way, () => Transmission>> = {
  query: () => viaQuery({ acceptLogging: true }),
  pair: () => viaSubprotocol(),
  bearer: () => viaSubprotocol({ preset: 'bearer', app: 'chat' }),
  'first-message': () =>
    viaFirstMessage({
      frame: (token) => ({ type: 'auth', id: 0, token }),
      accepted: isWelcome,
    }),
  header: () => viaHeader(),
  cookie: () => viaCookie(),
}

export const transmissionOf = (way: Way): Transmission => MAKERS[way]()
