/** Turns the facts of a walk into tables and diagrams. */
import type { Fact } from './facts.ts'

export const groupBy = <Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Map<string, Item[]> => {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

const distinct = <Item>(items: Iterable<Item>): Item[] => [...new Set(items)]

const MOST_CONDITIONS = 5

interface Outcome {
  readonly to: string
  readonly when: readonly string[]
}

/** A small decision tree: at each step the condition that leaves the least in doubt. */
const decide = (facts: readonly Fact[], when: readonly string[] = []): Outcome[] => {
  const targets = distinct(facts.map(({ to }) => to))
  const end = [{ to: targets.sort().join(' or '), when }]
  const best = targets.length > 1 && when.length < MOST_CONDITIONS ? bestSplit(facts) : undefined
  if (best === undefined) return end
  const leaves = [...groupBy(facts, ({ given }) => given[best] ?? '')]
    .sort(([one], [other]) => one.localeCompare(other))
    .flatMap(([value, group]) => decide(group, [...when, `${best}: ${value}`]))
  return leaves.every(({ to }) => to === leaves[0]?.to) ? end : leaves
}

const bestSplit = (facts: readonly Fact[]): string | undefined => {
  const scored = Object.keys(facts[0]?.given ?? {}).map((name) => {
    const groups = [...groupBy(facts, ({ given }) => given[name] ?? '').values()]
    return {
      name,
      groups: groups.length,
      doubt: groups.reduce((sum, group) => sum + doubtOf(group), 0),
    }
  })
  const useful = scored.filter(({ groups, doubt }) => groups > 1 && doubt < doubtOf(facts) - 1e-6)
  return useful.sort((one, other) => one.doubt - other.doubt)[0]?.name
}

/** Steps times the entropy of where they lead. */
const doubtOf = (facts: readonly Fact[]): number => {
  const all = stepsOf(facts)
  return [...groupBy(facts, ({ to }) => to).values()]
    .map(stepsOf)
    .reduce((sum, steps) => sum - steps * Math.log2(steps / all), 0)
}

const stepsOf = (facts: readonly Fact[]): number => facts.reduce((sum, { count }) => sum + count, 0)

/** Where the facts of one state and event lead, and on what that depends. */
export const outcomesOf = (facts: readonly Fact[]): { to: string; when: string }[] =>
  [...groupBy(decide(facts), ({ to }) => to)].map(([to, leaves]) => ({
    to,
    when: leaves.map(({ when }) => when.join(', ')).join('<br>or '),
  }))

const quoted = (targets: string): string =>
  targets
    .split(' or ')
    .map((to) => `\`${to}\``)
    .join(' or ')

const cell = (text: string): string => text.replaceAll('|', '\\|')

export const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n')

/** Events that change nothing are left out. */
export const transitions = (facts: readonly Fact[], order: readonly string[]): string => {
  const rows = order.flatMap((state) => {
    const events = groupBy(
      facts.filter(({ from }) => from === state),
      ({ event }) => event,
    )
    const moves = [...events].filter(([, group]) => group.some(({ to }) => to !== state))
    return moves.flatMap(([event, group]) =>
      outcomesOf(group)
        .filter(({ to, when }) => to !== state || when !== '')
        .map(({ to, when }, index) => [
          index === 0 ? `\`${state}\`` : '',
          index === 0 ? `\`${event}\`` : '',
          to === state ? 'stays' : quoted(to),
          when,
        ]),
    )
  })
  return table(['state', 'event', 'next', 'when'], rows)
}

export const works = (facts: readonly Fact[], order: readonly string[]): string =>
  table(
    ['state', 'what may run in it'],
    order.map((state) => {
      const kinds = distinct(facts.filter(({ to }) => to === state).flatMap(({ work }) => work))
      return [`\`${state}\``, kinds.sort().join(', ') || 'nothing']
    }),
  )

const MOST_LABELS = 3

export const diagram = (facts: readonly Fact[], initial: string): string => {
  const moves = facts.filter(
    ({ from, to, event }) => from !== to && !/^(disconnect|logout)$/.test(event),
  )
  const name = (state: string) => state.replaceAll('-', '_')
  const arrows = [...groupBy(moves, ({ from, to }) => `${name(from)} --> ${name(to)}`)].map(
    ([arrow, group]) => {
      const labels = distinct(group.map(({ event }) => event.replace(/[:(].*/, '').trim()))
      const more = labels.length > MOST_LABELS ? ', …' : ''
      return `  ${arrow}: ${labels.slice(0, MOST_LABELS).join(', ')}${more}`
    },
  )
  return [
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${name(initial)}`,
    ...arrows.sort(),
    '```',
  ].join('\n')
}
