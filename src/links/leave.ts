import type { Line } from './line.ts'
import { fault } from './wrong.ts'

/** The room is left, whatever the codec makes of that. */
export const writeLeave = (
  line: Line,
  room: string,
  report: (error: unknown) => void,
  dial?: number,
): void => {
  const { codec, link } = line
  try {
    if (codec.leave) link.write(codec.leave(room, line.nextId()), dial)
  } catch (cause) {
    report(fault('protocol.leave()', cause))
  }
}
