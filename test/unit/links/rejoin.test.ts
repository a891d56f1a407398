import { describe, expect, test } from 'vitest'
import { Membership } from '../../../src/core/membership.ts'
import { type Rejoin, rejoinOf } from '../../../src/links/rejoin.ts'

/** Asked for by request 2; request 1 was an earlier one. */
const memberOf = (epoch: string | undefined) =>
  Object.assign(new Membership('lobby', undefined), { epoch, seq: 9, askedBy: 2 })

type Case = readonly [
  what: string,
  known: string | undefined,
  frame: { readonly id?: number; readonly epoch: string; readonly recovered?: boolean },
  where: { readonly isAwaited: boolean; readonly isMoving: boolean },
  Rejoin,
]

const ALONE = { isAwaited: false, isMoving: false }
const MOVING = { isAwaited: true, isMoving: true }
const PROMOTED = { isAwaited: true, isMoving: false }

const CASES: readonly Case[] = [
  ['the first join, on one socket', undefined, { id: 2, epoch: 'e' }, ALONE, 'alone'],
  ['the first join, answered by the successor', undefined, { id: 2, epoch: 'e' }, MOVING, 'alone'],
  ['the first join, answered by the first', undefined, { id: 1, epoch: 'e' }, MOVING, 'nothing'],
  ['a resumed room, on one socket', 'e', { id: 2, epoch: 'e', recovered: true }, ALONE, 'alone'],
  ['a resumed room', 'e', { id: 2, epoch: 'e', recovered: true }, MOVING, 'resumed'],
  ['one after the move', 'e', { id: 2, epoch: 'e', recovered: true }, PROMOTED, 'resumed'],
  ['a room of another epoch', 'e', { id: 2, epoch: 'f' }, MOVING, 'not-resumed'],
  [
    'one of another epoch that says it is',
    'e',
    { id: 2, epoch: 'f', recovered: true },
    MOVING,
    'not-resumed',
  ],
  [
    'a room that is as it was, and is not resumed',
    'e',
    { id: 2, epoch: 'e' },
    MOVING,
    'not-resumed',
  ],
  ['one of another epoch after the move', 'e', { id: 2, epoch: 'f' }, PROMOTED, 'alone'],
  ['an answer to the request before', 'e', { id: 1, epoch: 'e', recovered: true }, MOVING, 'late'],
  ['one after the move', 'e', { id: 1, epoch: 'e', recovered: true }, PROMOTED, 'late'],
  ['one to a first join, which resumes nothing', 'e', { id: 1, epoch: 'e' }, MOVING, 'late'],
  ['one of another epoch', 'e', { id: 1, epoch: 'f' }, MOVING, 'anew'],
  ['one of another epoch, on one socket', 'e', { id: 1, epoch: 'f' }, ALONE, 'alone'],
  ['news that nobody asked for', 'e', { epoch: 'f' }, MOVING, 'anew'],
  ['news that nobody asked for, on one socket', 'e', { epoch: 'f' }, ALONE, 'alone'],
  ['news of the same epoch', 'e', { epoch: 'e' }, MOVING, 'anew'],
  ['news of the same epoch, on one socket', 'e', { epoch: 'e' }, ALONE, 'alone'],
]

describe('A joined frame, where two sockets may say it', () => {
  test.each(CASES)('%s', (_, known, frame, where, meaning) => {
    const message = { kind: 'joined', room: 'lobby', seq: 9, ...frame } as const
    expect(rejoinOf(message, memberOf(known), where)).toBe(meaning)
  })
})
