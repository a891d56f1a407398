import { expect, it, onTestFinished } from 'vitest'
import { RoomControl } from '../../../src/links/room-control.ts'

const make = () => {
  const control = new RoomControl('lobby', { report() {}, login: () => 0 })
  const heard: unknown[] = []
  const listen = () => control.channel.on('message', ({ data }) => heard.push(data))
  onTestFinished(() => control.left('left'))
  return { control, heard, listen }
}
const macrotask = () => new Promise((resolve) => setTimeout(resolve, 5))

it('holds what comes from the join on for its first listener, in order', async () => {
  const { control, heard, listen } = make()
  control.joining({})
  control.receive('before')
  control.joined(false)
  control.receive('after')
  control.expire()
  listen()
  await Promise.resolve()
  control.receive('later')
  expect(heard).toEqual(['before', 'after', 'later'])
})

it('holds what comes in the moment after the join resolved, before the code that awaited it runs', async () => {
  const { control, heard, listen } = make()
  control.joining({})
  control.joined(false)
  control.expire()
  control.receive('first')
  listen()
  await Promise.resolve()
  expect(heard).toEqual(['first'])
})

it('holds nothing one macrotask after the join resolved, nor what came until then', async () => {
  const { control, heard, listen } = make()
  control.joining({})
  control.receive('early')
  control.joined(false)
  control.expire()
  await macrotask()
  control.receive('unheard')
  listen()
  control.receive('heard')
  expect(heard).toEqual(['heard'])
})

it('holds nothing then where nothing had come either', async () => {
  const { control, heard, listen } = make()
  control.joining({})
  control.joined(false)
  control.expire()
  await macrotask()
  control.receive('unheard')
  listen()
  await Promise.resolve()
  expect(heard).toEqual([])
})

it('holds for the next join too, though the last one has just resolved', async () => {
  const { control, heard, listen } = make()
  control.joining({})
  control.joined(false)
  control.expire()
  control.left('left')
  control.joining({})
  await macrotask()
  control.joined(false)
  control.receive('first')
  listen()
  await Promise.resolve()
  expect(heard).toEqual(['first'])
})

it('keeps nothing of one person for the next', async () => {
  const { control, heard, listen } = make()
  control.joining({})
  control.receive('of ann')
  control.forget(1)
  control.joining({})
  listen()
  await Promise.resolve()
  expect(heard).toEqual([])
})

it.each([
  ['left', { done: false, value: { data: 'unread', meta: {} } }],
  ['signed-out', { done: true, value: undefined }],
] as const)('%s, what an iterator has not read yet is %o', async (reason, next) => {
  const { control } = make()
  const stream = control.stream()
  control.joining({})
  control.joined(false)
  control.receive('unread')
  if (reason === 'left') control.left(reason)
  else control.forget(1)
  expect(await stream.next()).toEqual(next)
})
