/** What one attacker adds to the pongs of somebody else. */
import { startPython } from './python.ts'
import type { Target } from './target.ts'

interface Pongs {
  readonly median: number
  readonly worst: number
}

export interface Flood {
  /** The frame: its head, what is repeated, how often, its tail. */
  readonly text: readonly [string, string, number, string]
  readonly token?: string | null
  readonly deflate?: boolean
  readonly perSecond?: number
}

export interface Flooded {
  /** Milliseconds beyond those of the same connection without the attacker. */
  readonly median: number
  readonly worst: number
  /** How the attacker's connections ended, and how often each. */
  readonly codes: Readonly<Record<string, number>>
  readonly dials: number
  readonly sent: number
}

const SECONDS = 1.5

export async function flooded(target: Target, flood: Flood): Promise<Flooded> {
  const { port } = target
  const victim = startPython('victim.py', { port, seconds: SECONDS })
  const options = { port, token: 'mallory', deflate: false, seconds: SECONDS + 1, ...flood }
  try {
    await victim.line()
    const before = await victim.next<Pongs>()
    const attacker = startPython('flood.py', options)
    try {
      await attacker.line()
      const under = await victim.next<Pongs>()
      const end = await attacker.line<Pick<Flooded, 'codes' | 'dials' | 'sent'>>()
      return { median: under.median - before.median, worst: under.worst - before.worst, ...end }
    } finally {
      attacker.stop()
    }
  } finally {
    victim.stop()
  }
}
