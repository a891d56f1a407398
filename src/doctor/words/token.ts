import { wayOf } from '../ways.ts'
import { ACCEPT_THEN_CLOSE, seconds, type WordsFor } from './words.ts'

/** The token, and who may enter. */
export const tokenWords: WordsFor<
  | 'token-elsewhere'
  | 'first-frame-awaited'
  | 'token-wrapped'
  | 'token-expired'
  | 'wrong-clock'
  | 'refresh-token-sent'
  | 'token-refused'
  | 'room-refused'
  | 'subprotocol-not-echoed'
  | 'subprotocol-not-offered'
  | 'token-echoed'
> = {
  'token-elsewhere': ({ way }) => ({
    says: `The server reads the token in another place: ${way.replace(':', ' ')}. There it opens, and with a made-up token it does not.`,
    fix: `\`transmission: ${wayOf(way)?.code}\`.`,
  }),
  'first-frame-awaited': ({ afterMs }) => ({
    says:
      afterMs === undefined
        ? 'The server opens for everybody, and asks for the token in a frame: `{"type":"auth_required"}`.'
        : `The server opens with any token and sends everybody away after ${seconds(afterMs)}: it waits for the token in the first frame.`,
    fix:
      afterMs === undefined
        ? "`transmission: viaFirstMessage('home-assistant')`."
        : '`transmission: viaFirstMessage({ frame, accepted })`, with `frame` as the server reads it.',
  }),
  'token-wrapped': () => ({
    says: 'The token has quotes, spaces or a word such as Bearer around it. Without them it opens.',
    fix: 'Let `auth` return the token alone: no `Bearer `, no JSON quotes, no line break.',
  }),
  'token-expired': (_cause, { trouble }) => ({
    says: trouble
      ? 'Nothing was dialed: the token has expired, and nothing replaced it.'
      : 'The token has expired, and the server refuses it.',
    fix: `Let \`auth\` return a fresh one, or use a session that renews it (\`simpleJwt\`, \`passwordGrant\`). On the server: ${ACCEPT_THEN_CLOSE}, so that clients can tell.`,
  }),
  'wrong-clock': ({ skewMs }) => ({
    says: `By the clock of the server the token is not valid now${
      skewMs === undefined || Math.abs(skewMs) < 2_000
        ? ': it was issued by a machine whose clock is ahead.'
        : `; this machine is ${seconds(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} it.`
    }`,
    fix: 'Set the clocks by NTP, on the machine that issues tokens and on the one that checks them; allow a leeway there (PyJWT `leeway=30`).',
  }),
  'refresh-token-sent': () => ({
    says: 'The token calls itself a refresh token, and the server wants an access token.',
    fix: 'Let `auth` return `access`, not `refresh`.',
  }),
  'token-refused': ({ status, code }) => ({
    says: `The server refuses the token ${how(status, code)}.`,
    fix: 'Look on the server which check fails: signing key, audience, issuer, user. In the client: another token, or `transmission`, if the server waits for it in the first frame.',
  }),
  'room-refused': () => ({
    says: 'The room is closed to this user; the token is good elsewhere.',
    fix: 'Give the user access, or close such a room with 4403 after the accept, so that clients can tell it from a bad token.',
  }),
  'subprotocol-not-echoed': () => ({
    says: 'Subprotocols are offered and the server echoes none. Browsers, `ws` and undici give up then.',
    fix: 'Accept with the first one that is not the token: Channels `await self.accept(self.scope["subprotocols"][0])`; FastAPI `await websocket.accept(subprotocol=websocket.scope["subprotocols"][0])`.',
  }),
  'subprotocol-not-offered': () => ({
    says: 'The server names a subprotocol that was not offered. Every client gives up then.',
    fix: 'Accept with one of `scope["subprotocols"]`, and with none where there are none.',
  }),
  'token-echoed': () => ({
    says: 'The server echoes the subprotocol that holds the token, which makes it readable as `socket.protocol`.',
    fix: 'Accept with the word before it: `subprotocol="token"`.',
  }),
}

const how = (status: number | undefined, code: number | undefined): string => {
  if (status !== undefined) return `with HTTP ${status}`
  return code === undefined ? 'in a frame' : `with close code ${code}, after the accept`
}
