/** The one place where tokens rest: values, and what is known of them. Nothing is printed from here. */
import type { Credential } from '../core/credential.ts'
import type { Name } from '../core/identity.ts'
import { lifeOf } from '../core/lifetime.ts'
import { type Claims, idOf, readClaims } from './claims.ts'
import type { TokenAnswer } from './source.ts'

export type Answer = Exclude<TokenAnswer, { kind: 'signed-out' }>

interface Kept {
  readonly credential: Credential
  readonly answer: Answer
}

/** `identify` of the options: called for every answer, since it may know more than a token tells. */
export type Identify = (claims: Claims) => string | undefined

export class Wallet {
  #kept: Kept[] = []
  #nextId = 1

  answerOf(credentialId: number): Answer | undefined {
    return this.#kept.find(({ credential }) => credential.id === credentialId)?.answer
  }

  /** The same value keeps its id, and the instant of its first receipt. */
  keep(answer: Answer, identify?: Identify): Credential {
    const known = this.#kept.find((kept) => isSameValue(kept.answer, answer))
    if (known) return known.credential
    const credential = { id: this.#nextId++, ...knownOf(answer, identify) }
    // The one held, the one before it, and one for a link that lags behind.
    this.#kept = [...this.#kept.slice(-2), { credential, answer }]
    return credential
  }

  /** Whoever was here before has left, and takes everything along. */
  clear(except?: number): void {
    this.#kept = this.#kept.filter(({ credential }) => credential.id === except)
  }
}

const knownOf = (answer: Answer, identify: Identify | undefined): Omit<Credential, 'id'> => {
  const claims = (answer.kind === 'token' && readClaims(answer.token)) || { raw: {} }
  const name = nameOf(claims, identify)
  if (answer.kind === 'cookie') return { receivedAt: Date.now(), name }
  const receivedAt = answer.receivedAt ?? Date.now()
  return { receivedAt, name, ...lifeOf({ ...claims, ...answer, receivedAt }) }
}

const nameOf = (claims: Claims, identify: Identify | undefined): Name => {
  const { iss, sub, user_id } = claims.raw
  return identify ? [idOf(identify(claims))] : [undefined, ...[iss, sub, user_id].map(idOf)]
}

const isSameValue = (one: Answer, other: Answer): boolean =>
  one.kind === 'token'
    ? other.kind === 'token' && one.token === other.token
    : // A browser's cookie is not seen.
      other.kind === 'cookie' && one.value !== undefined && one.value === other.value
