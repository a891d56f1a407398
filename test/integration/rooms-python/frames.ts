/** The schema of the rooms protocol, and the frames as the tests read them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'

const SCHEMA = fileURLToPath(new URL('../../../docs/protocol.schema.json', import.meta.url))
const schema: unknown = JSON.parse(readFileSync(SCHEMA, 'utf8'))
const ajv = new Ajv2020()
ajv.addSchema(schema as object, 'rooms')

export interface StoredMessage {
  seq: number
  from: string
  clientId: string
  n: number
  at: number
  data: unknown
}

export interface ShownMember {
  user: string
  clientId: string
  data?: object
}

/** Any frame of a server, once the schema has accepted it. */
export interface Frame {
  type: string
  id?: number
  room: string
  epoch: string
  seq: number
  recovered: boolean
  messages: StoredMessage[]
  members: ShownMember[]
  version: number
  joins: ShownMember[]
  leaves: ShownMember[]
  code: string
  message: string
  retryAfterMs?: number
  n: number
  from: string
  clientId: string
  data: unknown
  more: boolean
  user: string
  session: string
  limits: Record<string, number>
  features: string[]
  heartbeatMs: number
  resumeWindowMs: number
  expiresInMs?: number
  inMs: number
  withinMs: number
}

function check(side: 'client' | 'server', frame: unknown): void {
  const validate = ajv.getSchema(`rooms#/$defs/${side}Frame`)
  if (validate === undefined) throw new Error(`the schema has no ${side}Frame`)
  if (validate(frame) !== true)
    throw new Error(`no ${side} frame: ${JSON.stringify(frame)} ${ajv.errorsText(validate.errors)}`)
}

/** @throws {Error} when the schema does not know such a frame of a server */
export function readServerFrame(text: string): Frame {
  const frame: unknown = JSON.parse(text)
  check('server', frame)
  // The schema has just said so.
  return frame as Frame
}

/** @throws {Error} when the schema does not know such a frame of a client */
export const checkClientFrame = (frame: object): void => check('client', frame)

/** The types of one side, as the schema names them. */
export function typesOf(side: 'client' | 'server'): string[] {
  const { $defs } = schema as { $defs: Record<string, unknown> }
  return Object.keys($defs)
    .filter((name) => name.startsWith(`${side}/`))
    .map((name) => name.slice(side.length + 1))
    .sort()
}
