import type { JsonRecord } from './json.ts'
import { isRecord, numberOf, stringOf } from './json.ts'

interface Repeated {
  /** How many handshakes or requests in a row it applies to; 1 by default. */
  times?: number
}

export type DialFault = Repeated & { on?: 'dial' } & (
    | { kind: 'refuse'; status: number; body?: string; headers?: Record<string, string> }
    | { kind: 'close-before-accept' }
    | {
        kind: 'close-after-accept'
        code: number
        reason?: string
        /** Served for so long first. Absent or 0: at once, and no endpoint runs. */
        afterMs?: number
        /** The 101 (when at once), this text frame and the close frame leave in one TCP write. */
        withFrame?: string
      }
    | { kind: 'no-subprotocol' }
    | { kind: 'wrong-subprotocol'; value: string }
    | { kind: 'hang' }
    /** Absent: instead of answering the handshake. Given: so long after accepting, without a close frame. */
    | { kind: 'drop-tcp'; afterMs?: number }
    | { kind: 'late'; ms: number }
  )

export type TokenFault = Repeated & { on: 'token' } & (
    | { kind: 'status'; status: number; body?: string; headers?: Record<string, string> }
    | { kind: 'hang' }
    /** The request is carried out at once, its answer comes so much later. */
    | { kind: 'late'; ms: number }
    /** `processed`: the request is carried out first, so that only its answer is lost. */
    | { kind: 'drop'; processed?: boolean }
    | { kind: 'redirect'; to: string; status?: number }
  )

export type Fault = DialFault | TokenFault

/** Rules that wait for the next handshakes and token requests, in the order in which they were given. */
export class Faults {
  readonly #dial: DialFault[] = []
  readonly #token: TokenFault[] = []

  add(faults: readonly Fault[]): void {
    for (const fault of faults) {
      for (let left = fault.times ?? 1; left > 0; left -= 1) {
        if (fault.on === 'token') this.#token.push(fault)
        else this.#dial.push(fault)
      }
    }
  }

  takeDial(): DialFault | undefined {
    return this.#dial.shift()
  }

  takeToken(): TokenFault | undefined {
    return this.#token.shift()
  }

  get waiting(): number {
    return this.#dial.length + this.#token.length
  }

  clear(): void {
    this.#dial.length = 0
    this.#token.length = 0
  }
}

type Need = 'status' | 'code' | 'ms' | 'value' | 'to' | null

const DIAL_NEEDS: Readonly<Record<DialFault['kind'], Need>> = {
  refuse: 'status',
  'close-before-accept': null,
  'close-after-accept': 'code',
  'no-subprotocol': null,
  'wrong-subprotocol': 'value',
  hang: null,
  'drop-tcp': null,
  late: 'ms',
}

const TOKEN_NEEDS: Readonly<Record<TokenFault['kind'], Need>> = {
  status: 'status',
  hang: null,
  late: 'ms',
  drop: null,
  redirect: 'to',
}

/** A close code that an endpoint may send: anything else would throw in the middle of a handshake. */
export function isSendableCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  if (code >= 3000 && code <= 4999) return true
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)
}

function has(rule: JsonRecord, need: Need): boolean {
  if (need === null) return true
  if (need === 'value' || need === 'to') return stringOf(rule, need) !== undefined
  const given = numberOf(rule, need)
  if (given === undefined) return false
  if (need === 'code') return isSendableCode(given)
  // 101 would be an acceptance, and other 1xx are no final answer.
  if (need === 'status') return Number.isInteger(given) && given >= 200 && given <= 599
  return given >= 0
}

/** @throws {TypeError} when a rule has no known kind or lacks what its kind needs. */
export function parseFaults(value: unknown): Fault[] {
  const rules: unknown[] = Array.isArray(value) ? value : [value]
  for (const rule of rules) {
    if (!isRecord(rule)) throw new TypeError('a fault is an object')
    const needs: Record<string, Need> = rule['on'] === 'token' ? TOKEN_NEEDS : DIAL_NEEDS
    const kind = stringOf(rule, 'kind') ?? ''
    const need = Object.hasOwn(needs, kind) ? needs[kind] : undefined
    if (need === undefined) throw new TypeError(`no fault is called "${kind}"`)
    if (!has(rule, need)) throw new TypeError(`the fault "${kind}" needs a valid "${need}"`)
  }
  return rules as Fault[]
}
