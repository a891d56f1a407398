/** A login by cookie that was answered with a page: the form came back, so nobody is signed in. */
import { describe, expect, it, vi } from 'vitest'
import { cookieSession } from '../../../src/index.ts'
import { ALICE, hosts } from './cookie-world.ts'
import { expectNoSecret, rejection } from './support.ts'

const LOGIN = 'https://app.example.com/accounts/login/'
const FORM = '<!doctype html>\n<form method="post"><input name="password"></form>'

const answering = (type: string | undefined, body: string | null, status = 200) => {
  const headers = new Headers({ 'set-cookie': 'csrftoken=canary; Path=/' })
  const { fetch } = hosts(() => {
    const response = new Response(body, { status, headers })
    // Where a body is a text the type is set by itself.
    response.headers.delete('content-type')
    if (type !== undefined) response.headers.set('content-type', type)
    return response
  })
  return cookieSession({ login: LOGIN, fetch })
}

const ROWS: [string, string | undefined, string | null, number, 'failed' | 'signed in'][] = [
  ['a form', 'text/html; charset=utf-8', FORM, 200, 'failed'],
  ['a form in capitals', 'Text/HTML', FORM.toUpperCase(), 200, 'failed'],
  ['a form behind blank lines', 'text/html', `\n\n\ufeff  ${FORM}`, 200, 'failed'],
  ['a page of an application', 'text/html', '<html><div id="root"></div></html>', 200, 'failed'],
  ['a page of XHTML', 'application/xhtml+xml', '<?xml version="1.0"?><html/>', 200, 'failed'],
  ['a page without a type', undefined, FORM, 200, 'failed'],
  ['a page with 201', 'text/html', FORM, 201, 'failed'],
  ['JSON', 'application/json', '{"user":"alice"}', 200, 'signed in'],
  ['nothing, with 204', undefined, null, 204, 'signed in'],
  // Django says text/html of whatever it is not told.
  ['nothing, as Django sends it', 'text/html; charset=utf-8', '', 200, 'signed in'],
  ['a word, as Django sends it', 'text/html; charset=utf-8', 'ok', 200, 'signed in'],
  ['JSON that is called a page', 'text/html; charset=utf-8', '{"user":"alice"}', 200, 'signed in'],
  ['a word', 'text/plain', 'ok', 200, 'signed in'],
]

describe.each(['in Node', 'in a page'])('%s a login that is answered with', (where) => {
  it.each(ROWS)('%s', async (_, type, body, status, outcome) => {
    if (where === 'in a page') vi.stubGlobal('document', { cookie: '' })
    const session = answering(type, body, status)
    const login = session.login(ALICE)
    if (outcome === 'signed in') {
      await login
      expect(session.signedIn).toBe(true)
      return
    }
    const error = await rejection(login)
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE' })
    expect(error.message).toContain(`POST ${LOGIN} answered ${status} with a page`)
    expect(error.message).toMatch(/form.*JSON/)
    expectNoSecret(error, 'canary')
    expectNoSecret(error, ALICE.password)
    expect(session.signedIn).toBe(false)
  })
})

it('leaves who was signed in as he was', async () => {
  let body = '{}'
  const { fetch, asked } = hosts(({ url }) =>
    url === LOGIN
      ? new Response(body, {
          headers: {
            'content-type': body === '{}' ? 'application/json' : 'text/html',
            'set-cookie': `sessionid=${body === '{}' ? 'alice' : 'nobody'}; Path=/`,
          },
        })
      : [],
  )
  const session = cookieSession({ login: LOGIN, fetch })
  await session.login(ALICE)
  body = FORM
  await rejection(session.login({ ...ALICE, username: 'bob' }))
  expect(session.signedIn).toBe(true)
  await session.fetch('https://app.example.com/me')
  expect(asked.at(-1)?.headers.get('cookie')).toBe('sessionid=alice')
})
