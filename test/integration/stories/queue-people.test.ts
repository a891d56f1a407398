/** A queue of one person over the ways by which the next one comes, on one socket without rooms. */
import { expect, test } from 'vitest'
import { plain } from '../../../src/index.ts'
import { tokenOf } from '../../support/people.ts'
import {
  ACCEPT,
  outcomeOf,
  pass,
  REFUSE,
  SECOND,
  sessionStoryOf,
  tellStories,
} from '../../support/story.ts'

tellStories()

const CREDENTIALS = { username: 'whoever', password: 'secret' }
const ANN = tokenOf('{"sub":"ann","jti":"1"}')
const ANN_AGAIN = tokenOf('{"sub":"ann","jti":"2"}')
const BOB = tokenOf('{"sub":"bob"}')

test.each([
  ['kept', 'login', ANN_AGAIN],
  ['gone', 'login', BOB],
  ['gone', 'switch', ANN_AGAIN],
  ['gone', 'switch', BOB],
  ['gone', 'logout, then login', ANN_AGAIN],
  ['gone', 'logout, then login', BOB],
] as const)('what plain() queues is %s after %s', async (fate, way, second) => {
  const { server, socket, session, login } = sessionStoryOf({}, { protocol: plain() })
  server.mint = () => ANN
  await login()
  socket.connect()
  await pass(10 * SECOND)
  server.receive = () => REFUSE
  server.closeAll(1006)
  await pass(10)
  const sent = outcomeOf(socket.send('of the first one'))
  server.mint = () => second
  if (way === 'logout, then login') session.logout()
  session[way === 'switch' ? 'switch' : 'login'](CREDENTIALS)
  await pass(SECOND)
  server.receive = () => ACCEPT
  socket.connect()
  await pass(10 * SECOND)
  socket.send('of the second one')
  await pass(SECOND)
  const arrived = server.received.map(({ data, dial }) => [data, dial.token])
  const own = ['"of the second one"', second]
  expect(arrived).toEqual(fate === 'kept' ? [['"of the first one"', second], own] : [own])
  expect(sent.is === 'done').toBe(fate === 'kept')
})
