/** Facts as the doctor collects them, for the tests of its judgement. */
import type {
  Answered,
  Facts,
  Failed,
  Opened,
  Outcome,
  ProbeName,
} from '../../../src/doctor/facts.ts'

export const NOW = Date.UTC(2026, 10, 24)

export const opens: Opened = { kind: 'open' }
export const closes = (code: number, afterMs = 20): Opened => ({
  kind: 'open',
  end: { how: 'close', code, afterMs },
})
export const cut = (afterMs: number): Opened => ({ kind: 'open', end: { how: 'cut', afterMs } })
export const flawed = (flaw: NonNullable<Opened['flaw']>): Opened => ({ kind: 'open', flaw })
export const answers = (status: number, more: Partial<Answered> = {}): Answered => ({
  kind: 'answer',
  status,
  bytes: 0,
  html: false,
  ...more,
})
export const fails = (
  at: Failed['at'],
  why: Failed['why'],
  { code = 'CODE', afterMs = 10 }: Partial<Failed> = {},
): Failed => ({ kind: 'failed', at, why, code, afterMs })
export const blind: Outcome = { kind: 'blind' }

interface Given {
  readonly target?: Partial<Facts['target']>
  readonly token?: Partial<Facts['token']>
  readonly facts?: Partial<Facts>
}

/** A dial from Node to `ws://127.0.0.1/ws` with a token of 100 characters. */
export const factsOf = (
  trials: Partial<Record<ProbeName, Outcome>>,
  { target = {}, token = {}, facts = {} }: Given = {},
): Facts => ({
  sight: 'node',
  at: NOW,
  ways: ['query:token'],
  wantsCrowd: false,
  ...facts,
  target: {
    secure: false,
    loopback: true,
    path: '/ws',
    room: false,
    offered: 0,
    origin: 'none',
    ...target,
  },
  token: { carried: 'handshake', length: 100, wrapped: false, ...token },
  // Written as an object, so that rows of a table are short.
  trials: new Map(Object.entries(trials) as [ProbeName, Outcome][]),
})
