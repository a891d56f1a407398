/** Facts in words. Pure; no text of a server comes through here. */
import type { Evidence } from './causes.ts'
import type { Answered, Crowd, Facts, Failed, Opened, Outcome, ProbeName } from './facts.ts'
import { otherSlash } from './near-paths.ts'
import { seconds } from './words/words.ts'

export const evidenceOf = (facts: Facts): readonly Evidence[] =>
  [...facts.trials]
    .filter(([, { kind }]) => kind !== 'unsent')
    .map(([probe, outcome]) => ({ tried: triedOf(probe, facts), saw: sawOf(outcome) }))

const TRIED: Readonly<Record<string, string>> = {
  base: 'as configured',
  confirm: 'what worked, once more',
  again: 'as configured, once more',
  'again:2': 'as configured, once more',
  'again:3': 'as configured, once more',
  pinged: 'as configured, with pings',
  'fake-token': 'a made-up token in the same place',
  'long-token': 'a made-up token as long as yours',
  'bare-token': 'the token without what is around it',
  'other-room': 'another room',
  'unknown-path': 'a path that no server has, a made-up token',
  'own-origin': 'the Origin of the server',
  'no-origin': 'no Origin',
  'no-protocols': 'no subprotocols',
  get: 'an ordinary GET of the path, no token',
  root: 'an ordinary GET of /, no token',
  'other-scheme': 'an ordinary GET by the other scheme, no token',
  crowd: 'several sockets that say something',
}

const triedOf = (probe: ProbeName, { target }: Facts): string => {
  if (probe === 'other-slash') return `the path ${otherSlash(target.path)}`
  const told = TRIED[probe]
  if (told !== undefined) return told
  const colon = probe.indexOf(':')
  const name = probe.slice(colon + 1)
  if (probe.startsWith('near:')) return `the path ${name}`
  const place = name.replace(':', ' ')
  return probe.startsWith('way:') ? `the token by ${place}` : `a made-up token by ${place}`
}

const sawOf = (outcome: Outcome): string => {
  switch (outcome.kind) {
    case 'open':
      return openedText(outcome)
    case 'answer':
      return answeredText(outcome)
    case 'failed':
      return failedText(outcome)
    case 'blind':
      return 'failed, 1006'
    case 'opaque':
      return 'answers'
    case 'silent':
      return 'does not answer'
    case 'forbidden':
      return 'forbidden by the browser'
    case 'unsent':
      return 'not sent'
    case 'crowd':
      return crowdText(outcome)
  }
}

const crowdText = ({ sockets, groups, ended }: Crowd): string => {
  const said = `${sockets} sockets`
  if (ended > 0) return `${said}, ${ended} of them ended after they had spoken`
  return groups === undefined
    ? `${said}, each hears some of the others`
    : `${said}, in groups that hear each other: ${groups}`
}

const FLAWS: Readonly<Record<NonNullable<Opened['flaw']>, string>> = {
  'not-echoed': 'HTTP 101, no subprotocol echoed',
  stranger: 'HTTP 101, a subprotocol echoed that was not offered',
  'token-echoed': 'opens, and echoes the subprotocol that holds the token',
  'accept-key': 'HTTP 101, with another key’s Sec-WebSocket-Accept',
  extension: 'HTTP 101, with an extension that was not offered',
  'no-welcome': 'opens, and no greeting or answer comes',
  'refused-in-frame': 'opens, and a frame refuses the token',
  'no-pong': 'opens, no answer to a ping',
}

const openedText = ({ flaw, end, asks }: Opened): string => {
  if (flaw) return FLAWS[flaw]
  if (!end) return asks ? 'opens, and a frame asks for the token' : 'opens, stays open'
  return end.how === 'cut'
    ? `opens, TCP ends after ${seconds(end.afterMs)} without a close frame`
    : `opens, closed with ${end.code} after ${seconds(end.afterMs)}`
}

const LEADS: Readonly<Record<NonNullable<Answered['leads']>, string>> = {
  'other-slash': 'to the other slash',
  'to-tls': 'to TLS',
  'same-host': 'to another path',
  'other-host': 'to another host',
}

const answeredText = ({ status, server, html, leads }: Answered): string =>
  [`HTTP ${status}`, leads && `leads ${LEADS[leads]}`, html && 'a page', server && `from ${server}`]
    .filter(Boolean)
    .join(', ')

const STAGES: Readonly<Record<Failed['at'], string>> = {
  lookup: 'while the name was looked up',
  connect: 'while TCP connected',
  tls: 'in the TLS handshake',
  answer: 'before an answer',
}

const failedText = ({ at, code, afterMs }: Failed): string =>
  `${code} ${STAGES[at]}, after ${seconds(afterMs)}`
