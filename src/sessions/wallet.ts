/** The one place where tokens rest: values, and what is known of them. Nothing is printed from here. */
import type { Credential } from '../core/credential.ts'
import { lifeOf } from '../core/lifetime.ts'
import { type Claims, readClaims } from './claims.ts'
import type { TokenAnswer } from './source.ts'

export type Answer = Exclude<TokenAnswer, { kind: 'signed-out' }>

interface Kept {
  readonly credential: Credential
  readonly answer: Answer
}

export class Wallet {
  #kept: Kept[] = []
  #nextId = 1

  answerOf(credentialId: number): Answer | undefined {
    return this.#kept.find(({ credential }) => credential.id === credentialId)?.answer
  }

  /** The same value keeps its id, and the instant of its first receipt. */
  keep(answer: Answer, identify: (claims: Claims) => string | undefined = subject): Credential {
    const known = this.#kept.find((kept) => isSameValue(kept.answer, answer))
    if (known) return known.credential
    const credential = { id: this.#nextId++, ...knownOf(answer, identify) }
    // The one held, the one before it, and one for a link that lags behind.
    this.#kept = [...this.#kept.slice(-2), { credential, answer }]
    return credential
  }

  clear(): void {
    this.#kept = []
  }
}

const knownOf = (
  answer: Answer,
  identify: (claims: Claims) => string | undefined,
): Omit<Credential, 'id'> => {
  if (answer.kind === 'cookie') return { receivedAt: Date.now() }
  const claims = readClaims(answer.token)
  const receivedAt = answer.receivedAt ?? Date.now()
  const identity = claims && identify(claims)
  return {
    receivedAt,
    ...lifeOf({ ...claims, ...answer, receivedAt }),
    ...(identity !== undefined && { identity }),
  }
}

const subject = ({ sub, user_id }: Claims): string | undefined => {
  const id = sub ?? user_id
  return id === undefined ? undefined : String(id)
}

const isSameValue = (one: Answer, other: Answer): boolean =>
  one.kind === 'token'
    ? other.kind === 'token' && one.token === other.token
    : other.kind === 'cookie' && one.value === other.value
