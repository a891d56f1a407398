/** Messages of a room from before, where the protocol can ask for them. */

import { asked, type Line } from './line.ts'
import type { HistoryOptions } from './order.ts'

const LIMIT = 50

export const noHistory = (): Promise<never> =>
  Promise.reject(new TypeError('history() needs a protocol that has it: multiplexed()'))

export const historyOf = (
  line: Line,
  room: string,
  { limit = LIMIT, before, ...options }: HistoryOptions,
): Promise<unknown> => {
  const { codec } = line
  if (codec.history === undefined) return noHistory()
  const request = { limit, ...(before !== undefined && { before }) }
  return line.submit((id) => codec.history?.(room, request, id) ?? '', {
    ...options,
    ...asked('always'),
    room,
  })
}
