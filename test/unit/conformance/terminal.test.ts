import { expect, it } from 'vitest'
import { formatReport } from '../../../src/conformance/text.ts'
import { printable } from '../../../src/core/printable.ts'

const CONTROLS = [
  ...Array.from({ length: 32 }, (_, code) => code),
  ...Array.from({ length: 33 }, (_, code) => 0x7f + code),
].map((code) => String.fromCharCode(code))

const holdsControl = (text: string): boolean => CONTROLS.some((char) => text.includes(char))

it.each(CONTROLS)('%j of a server reaches no terminal', (char) => {
  const hostile = `a${char}]0;FAKE: all checks passed`
  const report = {
    url: `wss://x/${hostile}`,
    speaks: true,
    overview: undefined,
    features: [hostile],
    counts: { passed: 0, failed: 1, 'not-offered': 0, 'not-checked': 0 },
    frames: { sent: {}, received: {} },
    conforms: false,
    checks: [
      {
        id: 'x',
        section: 'one',
        link: 'two',
        level: 'must',
        title: 'three',
        outcome: 'failed',
        detail: hostile,
        trace: [hostile],
      } as const,
    ],
  }
  for (const overview of [undefined, { works: [hostile], lacks: [hostile], change: [hostile] }]) {
    const lines = formatReport({ ...report, overview }, { show: 'all' }).split('\n')
    expect(lines.filter(holdsControl)).toEqual([])
    // A line feed of a server begins no line of ours.
    expect(lines.filter((line) => line.startsWith(']0;FAKE'))).toEqual([])
  }
})

it('leaves all other text as it is', () => {
  expect(printable('é 日本 🎉 \\ "')).toBe('é 日本 🎉 \\ "')
  expect(printable('a\nb\x1b', '\n')).toBe('a\nb\\u001b')
})
