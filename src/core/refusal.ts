/** What a token endpoint says when it says no: in the words of many servers, told apart from those of a proxy. */
import { isObject } from './check.ts'

/** The server's own words for a failure. */
export interface Words {
  /** A word that a program can compare. */
  readonly code: string | undefined
  /** A sentence for people. */
  readonly detail: string | undefined
}

type Json = Readonly<Record<string, unknown>>

/** OAuth's "later", which comes with the statuses of "never". */
const TRANSIENT: readonly unknown[] = ['temporarily_unavailable', 'server_error', 'slow_down']

/** Where a 401 may say why. */
const KEYS = ['detail', 'code', 'error', 'errors', 'error_code', 'message', 'msg', 'title']

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), value)

/** Of a list, or of errors by field. */
const firstOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? Object.values(value)[0] : undefined

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isWord = (value: unknown): boolean => isText(value) && !value.includes(' ')

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')

/** As DRF and Laravel have them: `{ password: ['Required.'] }`. */
const isByField = (value: unknown): boolean =>
  isObject(value) && firstOf(value) !== undefined && Object.values(value).every(isTexts)

/** Something is said, and it is not FastAPI's answer to a body in another form than it takes. */
const isSaid = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? firstOf(value) !== undefined &&
      !Object.values(value).some((part) => at(part, 'loc') !== undefined)
    : isText(value) || Number.isFinite(value)

/** GraphQL servers, Directus among them, put it into `extensions`. */
const codesIn = (value: unknown): unknown[] => [at(value, 'code'), at(value, 'extensions', 'code')]

const codeOf = (status: number, body: Json): string | undefined => {
  const { data, detail, error, errors, error_code } = body
  const flows = at(data, 'flows')
  const pending: unknown = Array.isArray(flows) && flows.find((flow) => at(flow, 'is_pending'))
  const found = [
    error_code,
    ...[body, detail, error, firstOf(errors)].flatMap(codesIn),
    ...[at(error, 'name'), error, at(pending, 'id')],
    // A number that is only the status once more says nothing.
  ].find((value) => isWord(value) || (Number.isFinite(value) && value !== status))
  return found === undefined ? undefined : `${found}`
}

const textIn = (value: unknown): string | undefined => {
  const one: unknown = Array.isArray(value) ? value[0] : value
  return [one, at(one, 'message'), at(one, 'msg'), at(one, 'detail'), at(one, 'title')].find(isText)
}

const detailOf = (body: Json): string | undefined => {
  const { detail, error, error_description, errors, message, msg } = body
  return [
    ...[detail, error_description, message, msg, errors, firstOf(errors)],
    ...[isWord(error) ? body : error, isByField(body) ? firstOf(body) : body],
  ]
    .map(textIn)
    .find(isText)
}

/** Empty where the body is no JSON that says anything. */
export const wordsOf = (status: number, body: unknown): Words =>
  isObject(body)
    ? { code: codeOf(status, body), detail: detailOf(body) }
    : { code: undefined, detail: isTexts(body) ? textIn(body) : undefined }

/** Gateways, and frameworks that know no better, repeat the status; of a 403 they say no more than that. */
const isGeneric = (status: 400 | 403, value: unknown): boolean =>
  isText(value) && value.toLowerCase() === (status === 400 ? 'bad request' : 'forbidden')

/** A 400 and a 403 say many things: it takes a word that only the endpoint itself would use. */
const isNo = (status: 400 | 403, body: Json): boolean => {
  const { code, data, detail, error, errors, error_code, message, msg, title } = body
  // A problem document (RFC 9457) with a 403 is a firewall's.
  if (status === 403 && isText(title)) return false
  if (isText(code) || isText(error_code)) return true
  if (isByField(body)) return message === undefined && msg === undefined
  if (isSaid(detail)) return !isGeneric(status, title)
  if (isText(error)) return !isGeneric(status, error) || isText(body['error_description'])
  if (status === 403) return [error, firstOf(errors)].flatMap(codesIn).some(isText)
  return (
    [code, error, errors].some(isSaid) ||
    // PocketBase: what is wrong, by field, stands in `data`.
    (isText(message) && isObject(data))
  )
}

/**
 * Whether a failure is the endpoint's own "no", which is final. A proxy, a firewall and a CSRF check answer 401 and
 * 403 as well, and what they say is not: docs/errors.md has the table.
 */
export const isRefusal = (status: number, body: unknown): boolean => {
  // DRF: an error that belongs to no field.
  if (!isObject(body)) return status === 400 && isTexts(body)
  const words = wordsOf(status, body)
  const { errors, error, message, msg } = body
  if ([words.code, words.detail, error].some((word) => TRANSIENT.includes(word))) return false
  if (`${words.code} ${words.detail}`.toLowerCase().includes('csrf')) return false
  if (status === 400 || status === 403) return isNo(status, body)
  if (status === 401)
    return (
      isByField(body) ||
      KEYS.some((key) => typeof body[key] === 'string' || isSaid(body[key])) ||
      at(body, 'meta', 'is_authenticated') === false
    )
  // django-allauth.
  if (status === 409) return body['status'] === status && isSaid(errors)
  // Laravel, and flask-jwt-extended for a token that it did not sign.
  return (
    status === 422 &&
    ((isText(message) && isByField(errors)) || (isText(msg) && Object.keys(body).length === 1))
  )
}
