/** "message". */
import type { Check } from '../check.ts'
import { ensure, show } from '../judging.ts'

const section = 'message'
/** A day: clocks may differ, and seconds are no milliseconds. */
const CLOCK_MS = 86_400_000

export const MESSAGE: readonly Check[] = [
  {
    id: 'message.from',
    section,
    level: 'must',
    title: "`from` is the authenticated user, never taken from the sender's frame",
    fix: 'set `from`, `seq` and `at` from what the server knows',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      const lies = { from: 'conformance-mallory', user: 'conformance-mallory', seq: 77, at: 1 }
      await member.repeat({ ...member.write('x'), ...lies })
      const { from, seq, at } = await member.hear()
      ensure(from === scene.welcome.user, `from was ${show(from)}`)
      ensure(seq === 1 && at !== 1, `the sender's own seq or at came through: ${seq}, ${at}`)
    },
  },
  {
    id: 'message.at',
    section,
    level: 'must',
    title: "`at` is the server's clock, in ms since 1970",
    fix: 'set `at` in milliseconds; Python: int(time.time() * 1000)',
    after: ['send.others'],
    async run(scene) {
      const member = await scene.member()
      await member.say('x')
      const { at } = await member.hear()
      ensure(Math.abs(at - Date.now()) < CLOCK_MS, `at was ${at}, and here it is ${Date.now()}`)
    },
  },
]
