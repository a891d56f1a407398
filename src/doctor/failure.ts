/** Reads an error of Node's network stack. Only its code is kept. Pure. */
import type { Failed, Stage } from './facts.ts'

const CERTIFICATE = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_CHAIN_TOO_LONG',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]

const BY_CODE: Readonly<Record<string, Failed['why']>> = {
  ENOTFOUND: 'not-found',
  EAI_AGAIN: 'not-found',
  EAI_NODATA: 'not-found',
  EAI_NONAME: 'not-found',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'dropped',
  EPIPE: 'dropped',
}

export const failureOf = (error: unknown, at: Stage, afterMs: number): Failed => {
  const { code = 'UNKNOWN' } = error as { code?: string }
  return { kind: 'failed', at, why: whyOf(code, at), code, afterMs }
}

const whyOf = (code: string, at: Stage): Failed['why'] => {
  if (CERTIFICATE.includes(code)) return 'certificate'
  if (code.startsWith('HPE_')) return 'not-http'
  if (at === 'tls') return code === 'ETIMEDOUT' ? 'timeout' : 'tls'
  return BY_CODE[code] ?? 'other'
}
