/** What close codes and HTTP statuses mean. The tables of docs/policy.md are generated from here. */
import { isVerdict, type Verdict } from './verdict.ts'

/** Keys are a code (`4003`) or a range (`'4400-4499'`); a code wins over a range. */
export type PolicyRecord = Readonly<Record<string, Verdict>>

export type ClosePolicy = PolicyRecord | ((code: number, reason: string) => Verdict | undefined)
export type StatusPolicy = PolicyRecord | ((status: number) => Verdict | undefined)

export const POLICY_VIOLATION = 1008

export const CLOSE_DEFAULTS: PolicyRecord = {
  // RFC 6455 §7.4.1: Policy Violation, the code of FastAPI's documentation.
  1008: 'reauthenticate',
  // IANA registry: Unauthorized and Forbidden.
  3000: 'reauthenticate',
  3003: 'refuse-room',
  // The code that Channels projects close with; 4401 and 4403 say HTTP's words.
  4003: 'reauthenticate',
  4401: 'reauthenticate',
  4403: 'refuse-room',
}

/** How far the socket that ends had come. `unanswered`: nothing was said to it after its first message. */
export type Stage = 'unanswered' | 'open' | 'settled'

/** Where the stage says more than the code. */
export const STAGE_DEFAULTS: Readonly<Record<Stage, PolicyRecord>> = {
  // Nothing was asked for yet but to be let in: it can only be the token (graphql-ws).
  unanswered: { 3003: 'reauthenticate', 4403: 'reauthenticate' },
  open: {},
  // FastAPI servers limit rates and quotas with it, too, and had taken this token.
  settled: { 1008: 'retry' },
}

export const STATUS_DEFAULTS: PolicyRecord = {
  401: 'reauthenticate',
  403: 'reauthenticate',
}

/**
 * Statuses that say "not a WebSocket here": a wrong address when a connection never worked, and an
 * ingress without a backend when it did.
 */
export const WRONG_ADDRESS: PolicyRecord = {
  '200-399': 'stop',
  400: 'stop',
  '404-406': 'stop',
  410: 'stop',
  414: 'stop',
  426: 'stop',
  431: 'stop',
}

/** Is it a code, or a range of codes, with a verdict? */
export const isPolicyEntry = ([key, verdict]: [string, unknown]): boolean => {
  const codes = key.split('-')
  return codes.length <= 2 && codes.every((code) => code !== '' && +code >= 0) && isVerdict(verdict)
}

const lookUp = (record: PolicyRecord, code: number): Verdict | undefined => {
  const exact = record[code]
  if (exact !== undefined) return exact
  for (const key of Object.keys(record)) {
    const dash = key.indexOf('-')
    if (dash > 0 && code >= Number(key.slice(0, dash)) && code <= Number(key.slice(dash + 1)))
      return record[key]
  }
  return undefined
}

/** What is no verdict says nothing: the defaults decide. */
const said = (verdict: Verdict | undefined): Verdict | undefined =>
  isVerdict(verdict) ? verdict : undefined

export const closeVerdict = (
  code: number,
  reason: string,
  policy: ClosePolicy | undefined,
  stage: Stage = 'open',
): Verdict =>
  said(typeof policy === 'function' ? policy(code, reason) : policy && lookUp(policy, code)) ??
  lookUp(STAGE_DEFAULTS[stage], code) ??
  lookUp(CLOSE_DEFAULTS, code) ??
  'retry'

export const statusVerdict = (
  status: number,
  { everConnected, retryAfterMs }: { everConnected: boolean; retryAfterMs?: number | undefined },
  policy: StatusPolicy | undefined,
): Verdict =>
  said(typeof policy === 'function' ? policy(status) : policy && lookUp(policy, status)) ??
  lookUp(STATUS_DEFAULTS, status) ??
  (everConnected || isSignInPage(status) ? undefined : lookUp(WRONG_ADDRESS, status)) ??
  (retryAfterMs === undefined ? 'retry' : { retryAfterMs })

/** Codes that an accepting server sends, or a network leaves, without saying why. */
export const isSilentClose = (code: number): boolean =>
  code === 1000 || code === 1005 || code === 1006 || code === 1011

/**
 * Codes by which some servers say that the token is bad, and others something else. In order: Centrifugo;
 * what servers count up from, with Discord's 4004 and Pusher's 4009; what Liveblocks asks for a new token with.
 */
export const isAmbiguousClose = (code: number): boolean =>
  code === 3500 || (code >= 4000 && code <= 4010 && code !== 4003) || (code >= 4100 && code <= 4199)

/** 302 and its like send a person to a sign-in page: oauth2-proxy, an SSO. 301 and 308 say that the address moved. */
export const isSignInPage = (status: number): boolean =>
  status === 302 || status === 303 || status === 307

/** RFC 6455 and the IANA registry: Service Restart, Try Again Later. */
export const isRestart = (code: number): boolean => code === 1012 || code === 1013
