/** One step of a socket in words: what happened, and what follows from it. */
import { expiresAt } from '../core/credential.ts'
import type { LinkStep } from '../core/diary.ts'
import type { EventOf, LinkEvent, LinkState, StateOf } from '../core/link-state.ts'
import type { Demand } from '../core/standing.ts'
import { errorOf } from '../error-of.ts'
import { momentOf, problemWords, spanOf } from './words.ts'

/** `undefined`: nothing that a person would call a decision. The dial itself is told by its URL. */
export const describeLink = (
  [event, before, after]: LinkStep,
  where: string | undefined,
): string | undefined => {
  if (after.kind === 'connecting' && before.kind !== 'connecting' && !isSwapping(before))
    return undefined
  const follows = followsOf(before, after, where)
  const happened = `${isOfSecond(event, before) ? 'second socket: ' : ''}${happenedOf(event, before)}`
  return follows === undefined ? happened : `${happened}; ${follows}`
}

const isSwapping = (state: LinkState): boolean =>
  state.kind === 'connected' && state.renewal?.kind === 'swapping'

const isOfSecond = ({ dial }: LinkEvent, before: LinkState): boolean =>
  isSwapping(before) && dial === before.memory.dials + 1

const HAPPENED: Readonly<
  Record<Exclude<LinkEvent['type'], 'granted' | 'closed' | 'probed' | 'timed-out'>, string>
> = {
  connect: 'asked to connect',
  disconnect: 'asked to disconnect',
  reconnect: 'asked to reconnect',
  'signed-in': 'somebody signed in',
  redial: 'asked to carry the token that is held now',
  opened: 'opened',
  accepted: 'accepted: a frame came, or nothing spoke against it for a moment',
  greeted: 'accepted: the server greeted',
  closing: 'has begun to close: nothing is sent on it any more',
  settled: 'settled: it stayed open, so the next backoff begins anew',
  proven: 'proven: it stayed open so long that earlier rejections are forgotten',
  expired: 'the token has expired, and closeAtExpiry is set',
  renew: 'the token nears its end',
  expiring: 'the server says that the token nears its end',
  renewed: 'renewed in-band: the server took the younger token',
  'renewal-failed':
    'not renewed in-band: the server did not take the younger token, which is for the next dial',
  resumed: 'every room is joined on the second socket too',
  moved: 'the first socket has answered everything, or had its time to',
  due: 'the wait is over',
  nudge: 'the page or the network came back',
}

const happenedOf = (event: LinkEvent, before: LinkState): string => {
  switch (event.type) {
    case 'granted':
      return grantedWords(event)
    case 'closed':
      return `${problemWords(event.problem)} → ${verdictWords(event)}`
    case 'probed':
      return PROBED[event.probe]
    case 'timed-out':
      return before.kind === 'connecting' && before.openedAt !== undefined
        ? 'open, but not accepted in time'
        : 'no answer in time'
    default:
      return HAPPENED[event.type]
  }
}

const verdictWords = ({ verdict }: EventOf<'closed'>): string =>
  typeof verdict === 'object' ? `not before ${spanOf(verdict.retryAfterMs)} are over` : verdict

const PROBED: Readonly<Record<EventOf<'probed'>['probe'], string>> = {
  answers: 'probe: the host answers, so the token may be what fails',
  gone: 'probe: the host does not answer, so the token is not to blame',
  accepted: 'probe: the server accepts the token, so it is not to blame',
  refused: 'probe: the server refuses the token',
}

const grantedWords = ({ grant }: EventOf<'granted'>): string => {
  switch (grant.kind) {
    case 'later':
      return `held back by the session until ${momentOf(grant.until)}: ${problemWords(grant.problem)}`
    case 'renew':
      return 'tells the server the younger token'
    case 'refuse-room':
      return 'refused, while another socket with the same token works'
    case 'fail':
      return 'the session is over'
    default:
      return 'the session goes on'
  }
}

const followsOf = (
  before: LinkState,
  after: LinkState,
  where: string | undefined,
): string | undefined => {
  switch (after.kind) {
    case 'idle':
      return 'stays closed'
    case 'authenticating':
      return before.kind === 'authenticating' ? undefined : demandWords(after.demand)
    case 'connecting':
      return 'waits for a sign that the server accepts'
    case 'connected':
      return renewalWords(before, after)
    case 'closing':
      return 'waits for the code, which decides'
    case 'waiting':
      return waitWords(before, after)
    case 'refused':
      return 'this room is closed to the user, the others go on'
    case 'failed':
      return `failed, ${after.action}: ${errorOf(after.problem, where).message}`
  }
}

const demandWords = (demand: Demand): string => {
  switch (demand.kind) {
    case 'suspect':
      return 'suspects the token: the attempt failed although the host answers'
    case 'violation':
      return 'suspects the token: the server let it in, and closed with 1008'
    case 'rejected':
      return demand.isExpiry
        ? 'the token was at its end, which is no failure: wants another'
        : 'the token counts as rejected: wants another'
    case 'ended':
      return 'the session is over'
    default:
      return 'wants a token'
  }
}

const renewalWords = (before: LinkState, after: StateOf<'connected'>): string | undefined => {
  const { renewal } = after
  if (before.kind === 'connected' && before.renewal === renewal) return undefined
  if (isSwapping(before) && after.memory.dials > before.memory.dials)
    return 'the second socket takes over, the first is let go'
  if (renewal?.kind === 'swapping')
    return isSwapping(before) ? undefined : 'dials a second socket with the younger token'
  if (renewal?.kind === 'failed')
    return `no second socket: ${problemWords(renewal.problem)}; the token is replaced before the next dial`
  if (renewal?.kind === 'wanted') return 'wants a younger token for the open socket'
  if (renewal?.kind !== 'planned') return undefined
  const end = expiresAt(after.credential)
  return Number.isFinite(renewal.at) && end !== undefined
    ? `to be renewed at ${momentOf(renewal.at)}, ahead of its end at ${momentOf(end)}`
    : 'to be renewed when the server says so'
}

const endOf = ({ due, notBefore }: StateOf<'waiting'>): number => Math.max(due, notBefore)

const waitWords = (before: LinkState, after: StateOf<'waiting'>): string | undefined => {
  const until = `waits until ${momentOf(endOf(after))}`
  if (before.kind === 'waiting') return endOf(before) === endOf(after) ? undefined : until
  const said = `attempt ${after.memory.failures} failed: ${until}`
  return after.probe === 'asking' ? `${said}, and may ask meanwhile whether the host answers` : said
}
