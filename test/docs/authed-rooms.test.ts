import { expect, it } from 'vitest'
import { wantedCopy } from '../../scripts/authed-rooms.mjs'

it('both authed_rooms.py have the same protocol and stores: node scripts/authed-rooms.mjs', () => {
  const { copy, wanted } = wantedCopy()
  expect(copy).toBe(wanted)
})
