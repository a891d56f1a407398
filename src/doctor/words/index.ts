import type { CauseName, Finding } from '../causes.ts'
import type { Facts } from '../facts.ts'
import { answeredWords } from './answered.ts'
import { openedWords } from './opened.ts'
import { tokenWords } from './token.ts'
import { unreachedWords } from './unreached.ts'
import type { Words, WordsFor } from './words.ts'

const all = (): WordsFor<CauseName> => ({
  ...unreachedWords,
  ...answeredWords,
  ...tokenWords,
  ...openedWords,
})

export const wordsOf = (finding: Finding, facts: Facts): Words => {
  // The table has, under each name, the function that takes this very cause.
  const speak = all()[finding.cause] as (cause: Finding, facts: Facts) => Words
  return speak(finding, facts)
}

export const causeNames = (): CauseName[] =>
  // The type demands a text for each cause, so these are all.
  Object.keys(all()) as CauseName[]
