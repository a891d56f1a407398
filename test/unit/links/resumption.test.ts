import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Membership } from '../../../src/core/membership.ts'
import { Joins } from '../../../src/links/joins.ts'
import { Resumption } from '../../../src/links/resumption.ts'
import type { JoinRequest } from '../../../src/protocols/protocol.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

let id = 0
/** The joins of a socket, and the rooms of each frame that was written there. */
const joinsOf = () => {
  const frames: string[] = []
  const joins = new Joins({
    codec: {
      send: () => '',
      read: () => ({ kind: 'ignored' }),
      join: (requests: readonly JoinRequest[]) => requests.map(({ room }) => room).join(' '),
    },
    answerMs: 1_000,
    nextId: () => ++id,
    write: (frame) => frames.push(frame) > 0,
    unwritten: () => {},
    unanswered: () => {},
  })
  return { joins, frames }
}

const roomOf = (room: string): Membership => new Membership(room, undefined)
const joinedRoom = (room: string): Membership =>
  Object.assign(roomOf(room), { state: 'joined', epoch: 'e' })

/** `asked` and `put off` wait for the first socket; `there` is joined on it, and `no` was refused. */
const swap = () => {
  const current = joinsOf()
  const next = joinsOf()
  const asked = roomOf('asked')
  current.joins.want(asked)
  current.joins.ask()
  const { askedBy } = asked
  const putOff = Object.assign(roomOf('put-off'), { state: 'asked' })
  const there = joinedRoom('there')
  const all = [asked, putOff, there, Object.assign(roomOf('no'), { state: 'refused' })]
  const resumption = new Resumption(2, next.joins)
  resumption.ask(all, current.joins)
  const goBack = () => {
    resumption.goBack(all, current.joins)
    current.joins.ask()
    current.joins.interrupted()
  }
  return { current, next, asked, askedBy, putOff, there, resumption, goBack }
}

describe('Rooms that a successor is asked for', () => {
  test('are all but the refused ones', () => {
    const { next, resumption, asked, putOff, there, goBack } = swap()
    expect(next.frames).toEqual(['asked put-off there'])
    for (const membership of [asked, putOff, there]) {
      expect([resumption.isDone, resumption.awaits(membership)]).toEqual([false, true])
      resumption.forget(membership)
    }
    expect(resumption.isDone).toBe(true)
    goBack()
  })

  test('are told apart from what the current socket was asked for', () => {
    const { resumption, asked, askedBy, there, goBack } = swap()
    expect(resumption.wasted(asked, asked.askedBy)).toBe(false)
    expect(resumption.wasted(there, askedBy)).toBe(false)
    expect(resumption.wasted(asked, askedBy)).toBe(true)
    goBack()
  })
})

describe('When the successor is gone', () => {
  test('the current socket has its old question to answer, and is asked what it was not asked', () => {
    const { current, asked, askedBy, putOff, there, goBack } = swap()
    goBack()
    expect(current.frames).toEqual(['asked', 'put-off'])
    expect(asked).toMatchObject({ state: 'asked', askedBy })
    expect([putOff.state, there.state]).toEqual(['asked', 'joined'])
  })

  test('the current socket is asked again for what came to nothing meanwhile', () => {
    const { current, resumption, asked, askedBy, goBack } = swap()
    resumption.wasted(asked, askedBy)
    goBack()
    expect(current.frames).toEqual(['asked', 'asked put-off'])
  })

  test('nothing is asked again that the current socket has joined meanwhile', () => {
    const { current, resumption, asked, askedBy, goBack } = swap()
    resumption.joined(asked, askedBy)
    goBack()
    expect(current.frames).toEqual(['asked', 'put-off'])
    expect(asked.state).toBe('joined')
  })

  test('the current socket is asked from where the successor has told it', () => {
    const { current, resumption, asked, goBack } = swap()
    Object.assign(asked, { state: 'joined', epoch: 'e', seq: 7 })
    resumption.joined(asked, asked.askedBy)
    resumption.forget(asked)
    goBack()
    expect(current.frames).toEqual(['asked', 'asked put-off'])
  })
})
