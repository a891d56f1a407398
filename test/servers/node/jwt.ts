import { randomUUID } from 'node:crypto'
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'

export type TokenType = 'access' | 'refresh'

export type Checked =
  | { ok: true; claims: JWTPayload }
  | { ok: false; reason: 'invalid' | 'expired' }

export interface JwtRequest {
  type: TokenType
  user: string
  startedAt: number
  lifetimeMs: number
  /** Fractions of a second in `iat` and `exp`. */
  exact: boolean
  claims: JWTPayload
}

export function signJwt(secret: Uint8Array, request: JwtRequest): Promise<string> {
  const { type, user, startedAt, lifetimeMs, exact, claims } = request
  const seconds = (ms: number): number => (exact ? ms / 1000 : Math.floor(ms / 1000))
  return new SignJWT({
    token_type: type,
    sub: user,
    jti: randomUUID(),
    iat: seconds(startedAt),
    exp: seconds(startedAt + lifetimeMs),
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(secret)
}

export async function checkJwt(
  secret: Uint8Array,
  token: string,
  type: TokenType,
): Promise<Checked> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      requiredClaims: ['exp', 'sub', 'jti'],
    })
    const fits = payload['token_type'] === type
    return fits ? { ok: true, claims: payload } : { ok: false, reason: 'invalid' }
  } catch (error) {
    return { ok: false, reason: error instanceof errors.JWTExpired ? 'expired' : 'invalid' }
  }
}
