/** What must hold. Each rule is one way in which the promise of docs/protocol.md can be broken. */
export const RULES = {
  lost: 'acknowledged, and neither delivered to a member nor covered by its gap',
  hole: 'a member got the next but one message without a gap',
  'delivered-twice': 'a member got a message again',
  'out-of-order': 'a member got an earlier message after a later one',
  overtaken: 'a later send of a client stands before an earlier one',
  disagreement: 'two members have another message under a number, or another number for a message',
  'gap-unexplained': 'a gap, and neither an epoch nor a window ended',
  'gap-swallowed': 'an epoch or a window ended, and a member went on without a gap',
  'epoch-unexplained': 'a room counts anew, and the store had lost nothing',
  'epoch-confused': 'a member went back to an old epoch, or resumed across two',
  'answered-before': 'a send was acknowledged while an earlier one of its client and room was open',
  'never-settled': 'a send was settled never',
  'settled-twice': 'a send was settled again',
  'unknown-unexplained': 'a send ended as unknown, and nothing kept it from being known',
  'unsent-unexplained': 'a send was given up unsent, and nobody had left',
  'refusal-unexplained': 'a good send was refused',
  'refused-delivered': 'a refused send was delivered',
  'unsent-delivered': 'a send that never left was delivered',
  'superseded-stored': 'a send on a replaced connection was stored',
  invented: 'a message that nobody sent there',
  altered: 'a message with other data than was sent',
  'wrong-sender': 'a message of somebody else, or an own one that is not',
  'not-a-member': 'a message of a room that was not joined yet, or had been left',
  'join-refused': 'an open room was closed to a member',
  'forbidden-entered': 'a forbidden room was open',
  'never-quiet': 'when all faults were over somebody was not connected, or something not settled',
  error: 'the SDK reported an error of its own',
} as const

export type Rule = keyof typeof RULES

export interface Violation {
  readonly rule: Rule
  /** The event at which it showed: its index in the history. */
  readonly event: number
  readonly text: string
}

export type Report = (rule: Rule, event: number, text: string) => void
