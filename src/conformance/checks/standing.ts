/** Sentences that hold at all times; `watch.ts` sees to them on every connection of a run. */
import type { StandingRule } from '../check.ts'
import type { RuleId } from '../watch.ts'

type Rule = StandingRule & { readonly id: RuleId }

const rules: readonly Omit<Rule, 'level' | 'standing'>[] = [
  {
    id: 'frames.valid',
    section: 'later-versions-and-unknown-things',
    title: 'Every frame of the server is as docs/protocol.schema.json has it',
    fix: 'send JSON objects as text, with every required member and its type',
  },
  {
    id: 'frames.no-token',
    section: 'error',
    title: 'No frame of the server holds a token',
    fix: 'put nothing of a token into messages and sessions, also not when you say what was wrong with it',
  },
  {
    id: 'order.welcome-first',
    section: 'order',
    title: 'welcome is the first frame, and comes once',
    fix: 'send welcome before you read or deliver anything',
  },
  {
    id: 'order.contiguous',
    section: 'order',
    title: 'The frames of one room come in the order of their seq, from joined on without a hole',
    fix: 'deliver to each connection in order and once, beginning behind the seq of its joined',
  },
  {
    id: 'order.members-only',
    section: 'order',
    title:
      'Messages of a room go to connections that are in it: after joined, and until the ok of a leave',
    fix: 'add a connection to the room in the moment of its joined, and take it out before the ok of its leave',
  },
  {
    id: 'requests.one-answer',
    section: 'requests-and-answers',
    title:
      'Each request has exactly one answer, of its kind and with its id; a join one for each room',
    fix: 'answer once, with the id of the request: ok to send, leave and auth; reply, history, pong, joined',
  },
  {
    id: 'presence.only-asked',
    section: 'presence',
    needs: ['presence'],
    title: 'Presence goes to those who joined with presence, and to no one else',
    fix: 'send presence frames, and `members` in joined, only where the join held `presence`',
  },
  {
    id: 'presence.versions',
    section: 'presence',
    needs: ['presence'],
    title: "Each presence frame leads from its connection's last version to the next",
    fix: 'count one up for each frame, and begin behind the version of joined',
  },
]

export const STANDING: readonly Rule[] = rules.map((rule) => ({
  ...rule,
  level: 'must',
  standing: true,
}))
