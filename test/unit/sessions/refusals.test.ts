/**
 * What counts as a no of a token endpoint, server by server, as each of them writes it; and what does not, because a
 * proxy, a firewall, a CSRF check or a passing trouble speaks.
 */
import { describe, expect, it } from 'vitest'
import { passwordGrant, refreshGrant, simpleJwt } from '../../../src/index.ts'
import { expectNoSecret, type Reply, rejection, serve } from './support.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }

interface Row {
  /** Where the shape is from. */
  readonly from: string
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly code?: string
  readonly detail?: string
}

const BASIC = { 'www-authenticate': 'Basic realm="staging"' }
const BEARER = { 'www-authenticate': 'Bearer' }
const FASTAPI_FORM = {
  detail: [{ type: 'missing', loc: ['body', 'username'], msg: 'Field required', input: null }],
}

const refusals: Row[] = [
  {
    from: 'FastAPI, HTTPException(400, "…") of its tutorial',
    status: 400,
    body: { detail: 'Incorrect username or password' },
    detail: 'Incorrect username or password',
  },
  {
    from: 'FastAPI, HTTPException(401, {…})',
    status: 401,
    body: { detail: { code: 'refresh_revoked', message: 'Sign in again' } },
    headers: BEARER,
    code: 'refresh_revoked',
    detail: 'Sign in again',
  },
  {
    from: 'FastAPI, HTTPException(403, {…})',
    status: 403,
    body: { detail: { code: 'disabled', msg: 'Account disabled' } },
    code: 'disabled',
    detail: 'Account disabled',
  },
  {
    from: 'FastAPI, HTTPException(401, […]) of your own',
    status: 401,
    body: { detail: [{ msg: 'revoked' }] },
    detail: 'revoked',
  },
  {
    from: 'fastapi-users, docs/usage/routes: POST /login',
    status: 400,
    body: { detail: 'LOGIN_USER_NOT_VERIFIED' },
    detail: 'LOGIN_USER_NOT_VERIFIED',
  },
  {
    from: 'DRF, exceptions.NotAuthenticated under SessionAuthentication',
    status: 403,
    body: { detail: 'Authentication credentials were not provided.' },
    detail: 'Authentication credentials were not provided.',
  },
  {
    from: 'DRF, BasicAuthentication beside the view: the body wins',
    status: 401,
    body: { detail: 'Invalid username/password.' },
    headers: { 'www-authenticate': 'Basic realm="api"' },
    detail: 'Invalid username/password.',
  },
  {
    from: 'DRF, a ValidationError of no field',
    status: 400,
    body: ['Unable to log in.'],
    detail: 'Unable to log in.',
  },
  {
    from: 'DRF, errors by field',
    status: 400,
    body: { username: ['This field is required.'], password: ['This field is required.'] },
    detail: 'This field is required.',
  },
  {
    from: 'djangorestframework-simplejwt, exceptions.InvalidToken',
    status: 401,
    body: {
      detail: 'Given token not valid for any token type',
      code: 'token_not_valid',
      messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token is expired' }],
    },
    headers: { 'www-authenticate': 'Bearer realm="api"' },
    code: 'token_not_valid',
    detail: 'Given token not valid for any token type',
  },
  {
    from: 'dj-rest-auth, LoginSerializer.validate_email_verification_status',
    status: 400,
    body: { non_field_errors: ['E-mail is not verified.'] },
    detail: 'E-mail is not verified.',
  },
  {
    from: 'django-allauth headless, POST auth/login: a wrong password',
    status: 400,
    body: {
      status: 400,
      errors: [
        {
          message: 'The username and/or password you specified are not correct.',
          code: 'username_password_mismatch',
          param: 'password',
        },
      ],
    },
    code: 'username_password_mismatch',
    detail: 'The username and/or password you specified are not correct.',
  },
  {
    from: 'django-allauth headless: a second factor is pending',
    status: 401,
    body: {
      status: 401,
      data: { flows: [{ id: 'login' }, { id: 'mfa_authenticate', is_pending: true }] },
      meta: { is_authenticated: false },
    },
    code: 'mfa_authenticate',
  },
  {
    from: 'django-allauth headless: nothing is pending',
    status: 401,
    body: {
      status: 401,
      data: { flows: [{ id: 'login' }] },
      meta: { is_authenticated: false },
    },
  },
  {
    from: 'django-allauth headless, 409',
    status: 409,
    body: { status: 409, errors: [{ message: 'No flow is pending.', code: 'conflict' }] },
    code: 'conflict',
    detail: 'No flow is pending.',
  },
  {
    from: 'djoser, TokenCreateSerializer',
    status: 400,
    body: { non_field_errors: ['Unable to log in with provided credentials.'] },
    detail: 'Unable to log in with provided credentials.',
  },
  {
    from: 'Knox, exceptions.AuthenticationFailed',
    status: 401,
    body: { detail: 'Invalid token.' },
    headers: { 'www-authenticate': 'Token' },
    detail: 'Invalid token.',
  },
  {
    from: 'flask-jwt-extended, revoked_token_loader',
    status: 401,
    body: { msg: 'Token has been revoked' },
    detail: 'Token has been revoked',
  },
  {
    from: 'flask-jwt-extended, invalid_token_loader',
    status: 422,
    body: { msg: 'Signature verification failed' },
    detail: 'Signature verification failed',
  },
  {
    from: 'Nest, UnauthorizedException()',
    status: 401,
    body: { message: 'Unauthorized', statusCode: 401 },
    detail: 'Unauthorized',
  },
  {
    from: "Nest, UnauthorizedException('…')",
    status: 401,
    body: { message: 'refresh token expired', error: 'Unauthorized', statusCode: 401 },
    code: 'Unauthorized',
    detail: 'refresh token expired',
  },
  {
    from: 'Laravel, AuthenticationException',
    status: 401,
    body: { message: 'Unauthenticated.' },
    detail: 'Unauthenticated.',
  },
  {
    from: 'Laravel, ValidationException of auth.failed',
    status: 422,
    body: {
      message: 'These credentials do not match our records.',
      errors: { email: ['These credentials do not match our records.'] },
    },
    detail: 'These credentials do not match our records.',
  },
  {
    from: 'Supabase GoTrue',
    status: 400,
    body: { code: 400, error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token' },
    code: 'refresh_token_not_found',
    detail: 'Invalid Refresh Token',
  },
  {
    from: 'Supabase GoTrue before 2.156: supabase/auth-js#928',
    status: 400,
    body: { error: 'invalid_grant', error_description: 'Invalid login credentials' },
    code: 'invalid_grant',
    detail: 'Invalid login credentials',
  },
  {
    from: 'Keycloak: direct grants are off',
    status: 401,
    body: {
      error: 'unauthorized_client',
      error_description: 'Client not allowed for direct access grants',
    },
    code: 'unauthorized_client',
    detail: 'Client not allowed for direct access grants',
  },
  {
    from: 'Keycloak: a client secret is wrong (RFC 6749 §5.2 wants the challenge)',
    status: 401,
    body: { error: 'invalid_client', error_description: 'Invalid client credentials' },
    headers: { 'www-authenticate': 'Basic realm="Keycloak"' },
    code: 'invalid_client',
    detail: 'Invalid client credentials',
  },
  {
    from: 'Auth0',
    status: 403,
    body: { error: 'mfa_required', error_description: 'Multifactor required', mfa_token: 'Fe26' },
    code: 'mfa_required',
    detail: 'Multifactor required',
  },
  {
    from: 'Directus, InvalidCredentialsError',
    status: 401,
    body: {
      errors: [
        { message: 'Invalid user credentials.', extensions: { code: 'INVALID_CREDENTIALS' } },
      ],
    },
    code: 'INVALID_CREDENTIALS',
    detail: 'Invalid user credentials.',
  },
  {
    from: 'Directus, InvalidTokenError',
    status: 403,
    body: { errors: [{ message: 'Invalid token.', extensions: { code: 'INVALID_TOKEN' } }] },
    code: 'INVALID_TOKEN',
    detail: 'Invalid token.',
  },
  {
    from: 'Spring Authorization Server',
    status: 400,
    body: { error: 'invalid_grant' },
    code: 'invalid_grant',
  },
  {
    from: 'Spring Boot, BasicErrorController',
    status: 401,
    body: { timestamp: '2026-11-30', status: 401, error: 'Unauthorized', path: '/token' },
    code: 'Unauthorized',
  },
  {
    from: 'PocketBase before 0.23',
    status: 400,
    body: { code: 400, message: 'Failed to authenticate.', data: {} },
    detail: 'Failed to authenticate.',
  },
  {
    from: 'PocketBase, docs of auth-with-password',
    status: 400,
    body: { status: 400, message: 'Failed to authenticate.', data: {} },
    detail: 'Failed to authenticate.',
  },
  {
    from: 'Strapi, POST /api/auth/local',
    status: 400,
    body: {
      data: null,
      error: { status: 400, name: 'ValidationError', message: 'Invalid identifier or password' },
    },
    code: 'ValidationError',
    detail: 'Invalid identifier or password',
  },
  {
    from: 'Firebase, securetoken.googleapis.com',
    status: 400,
    body: { error: { code: 400, message: 'TOKEN_EXPIRED', status: 'INVALID_ARGUMENT' } },
    detail: 'TOKEN_EXPIRED',
  },
  {
    from: 'WordPress, jwt-auth',
    status: 403,
    body: {
      code: '[jwt_auth]incorrect_password',
      message: 'The password is incorrect.',
      data: { status: 403 },
    },
    code: '[jwt_auth]incorrect_password',
    detail: 'The password is incorrect.',
  },
  {
    from: 'LexikJWTAuthenticationBundle',
    status: 401,
    body: { code: 401, message: 'Invalid credentials.' },
    detail: 'Invalid credentials.',
  },
  {
    from: 'Hasura, nhost',
    status: 401,
    body: { status: 401, message: 'Invalid refresh token', error: 'invalid-refresh-token' },
    code: 'invalid-refresh-token',
    detail: 'Invalid refresh token',
  },
  {
    from: 'ASP.NET Core Identity, POST /login',
    status: 401,
    body: {
      type: 'https://tools.ietf.org/html/rfc9110#section-15.5.2',
      title: 'Unauthorized',
      status: 401,
      detail: 'RequiresTwoFactor',
    },
    detail: 'RequiresTwoFactor',
  },
  { from: 'ASP.NET Core Identity, POST /refresh', status: 401, body: '' },
  { from: 'nothing but the challenge of RFC 6750', status: 401, body: '', headers: BEARER },
  { from: 'blanks', status: 401, body: ' \n' },
  { from: 'Express, res.sendStatus(401), and passport', status: 401, body: 'Unauthorized' },
  {
    from: 'Django, HttpResponse(status=401)',
    status: 401,
    body: '',
    headers: { 'content-type': 'text/html; charset=utf-8' },
  },
  {
    from: 'Express, { message }',
    status: 401,
    body: { success: false, message: 'Invalid token' },
    detail: 'Invalid token',
  },
  {
    from: 'Express, { error }',
    status: 401,
    body: { error: 'Invalid password' },
    detail: 'Invalid password',
  },
  {
    from: 'JSON:API',
    status: 401,
    body: { errors: [{ status: '401', title: 'Unauthorized', detail: 'Token revoked' }] },
    detail: 'Token revoked',
  },
  {
    from: 'Kong: a message wins over the challenge',
    status: 401,
    body: { message: 'Unauthorized' },
    headers: BASIC,
    detail: 'Unauthorized',
  },
  { from: 'an API whose codes are numbers', status: 400, body: { code: 1001 }, code: '1001' },
  { from: 'a text that says nothing', status: 401, body: { detail: '' } },
  {
    from: 'PHP, JSON under the type of its pages',
    status: 401,
    body: { message: 'no' },
    headers: { 'content-type': 'text/html' },
    detail: 'no',
  },
]

const html = '<html><title>403</title></html>'
const other: Row[] = [
  { from: 'AWS API Gateway', status: 403, body: { message: 'Forbidden' }, detail: 'Forbidden' },
  { from: 'a message in Flask', status: 403, body: { msg: 'Forbidden' }, detail: 'Forbidden' },
  {
    from: 'a message as a list',
    status: 403,
    body: { message: ['Forbidden'] },
    detail: 'Forbidden',
  },
  {
    from: 'Azure API Management',
    status: 403,
    body: { statusCode: 403, message: 'Access denied' },
    detail: 'Access denied',
  },
  {
    from: 'Nest, ForbiddenException()',
    status: 403,
    body: { message: 'Forbidden resource', error: 'Forbidden', statusCode: 403 },
    code: 'Forbidden',
    detail: 'Forbidden resource',
  },
  {
    from: 'Spring Boot: its CSRF filter',
    status: 403,
    body: { timestamp: '2026-11-30', status: 403, error: 'Forbidden', path: '/token' },
    code: 'Forbidden',
  },
  {
    from: 'Spring Boot with messages: its CSRF filter',
    status: 403,
    body: {
      timestamp: '2026-11-30',
      status: 403,
      error: 'Forbidden',
      message: 'Invalid CSRF Token was found on the request',
      path: '/token',
    },
    code: 'Forbidden',
    detail: 'Invalid CSRF Token was found on the request',
  },
  {
    from: 'DRF, SessionAuthentication.enforce_csrf',
    status: 403,
    body: { detail: 'CSRF Failed: CSRF token missing.' },
    detail: 'CSRF Failed: CSRF token missing.',
  },
  {
    from: 'flask-jwt-extended: its CSRF check',
    status: 401,
    body: { msg: 'CSRF double submit tokens do not match' },
    detail: 'CSRF double submit tokens do not match',
  },
  {
    from: 'Laravel: its CSRF check',
    status: 419,
    body: { message: 'CSRF token mismatch.' },
    detail: 'CSRF token mismatch.',
  },
  {
    from: 'Cloudflare, RFC 9457',
    status: 403,
    body: { type: 'about:blank', title: 'Error 1020: Access denied', status: 403, detail: 'Ray' },
    detail: 'Ray',
  },
  {
    from: 'Spring, ProblemDetail',
    status: 400,
    body: { title: 'Bad Request', status: 400, detail: 'Failed to read request' },
    detail: 'Failed to read request',
  },
  {
    from: 'Google, an API key that may not come from here',
    status: 403,
    body: { error: { code: 403, message: 'Requests are blocked.', status: 'PERMISSION_DENIED' } },
    detail: 'Requests are blocked.',
  },
  {
    from: 'Strapi: the route is closed to the public',
    status: 403,
    body: { data: null, error: { status: 403, name: 'ForbiddenError', message: 'Forbidden' } },
    code: 'ForbiddenError',
    detail: 'Forbidden',
  },
  {
    from: 'errors without a code',
    status: 403,
    body: { errors: [{ message: 'Forbidden' }] },
    detail: 'Forbidden',
  },
  {
    from: 'Nest, ValidationPipe',
    status: 400,
    body: { message: ['email must be an email'], error: 'Bad Request', statusCode: 400 },
    detail: 'email must be an email',
  },
  { from: 'a message', status: 400, body: { message: 'Bad Request' }, detail: 'Bad Request' },
  { from: 'nginx, auth_basic', status: 401, body: html, headers: BASIC },
  { from: 'a proxy without a page', status: 401, body: '', headers: BASIC },
  {
    from: 'a proxy in small letters',
    status: 401,
    body: '',
    headers: { 'www-authenticate': 'basic' },
  },
  {
    from: 'Kerberos',
    status: 401,
    body: '',
    headers: { 'www-authenticate': 'Negotiate, NTLM' },
  },
  {
    from: 'a proxy that would take a token as well',
    status: 401,
    body: 'Unauthorized',
    headers: { 'www-authenticate': 'Bearer realm="a", Basic realm="b"' },
  },
  { from: 'a proxy', status: 403, body: '', headers: BASIC },
  { from: 'Kerberos', status: 403, body: html, headers: { 'www-authenticate': 'Negotiate' } },
  { from: 'nobody', status: 403, body: '' },
  { from: 'nobody', status: 400, body: '' },
  { from: 'Django: its CSRF check', status: 403, body: html },
  { from: 'nginx', status: 400, body: html },
  { from: 'nginx', status: 401, body: html },
  { from: 'a text', status: 401, body: 'Jwt is missing' },
  { from: 'a JSON text', status: 401, body: '"no"' },
  { from: 'null', status: 401, body: 'null' },
  { from: 'an empty object', status: 401, body: {} },
  { from: 'a list', status: 401, body: [{ a: 1 }] },
  { from: 'nothing said', status: 401, body: { ok: false } },
  { from: 'nothing said', status: 401, body: { error: null } },
  { from: 'nothing said', status: 401, body: { errors: [] } },
  { from: 'nothing said', status: 403, body: { detail: '' } },
  { from: 'HAL', status: 401, body: { _links: { self: { href: '/' } } } },
  ...[400, 401, 422].map((status) => ({
    from: 'FastAPI: a form',
    status,
    body: FASTAPI_FORM,
    detail: 'Field required',
  })),
  { from: 'a message without errors', status: 422, body: { message: 'x' }, detail: 'x' },
  { from: 'FastAPI', status: 422, body: { detail: 'x' }, detail: 'x' },
  ...['temporarily_unavailable', 'server_error', 'slow_down'].flatMap((error) =>
    [400, 401, 403, 503].map((status) => ({
      from: 'OAuth',
      status,
      body: { error, error_description: 'Try again' },
      code: error,
      detail: 'Try again',
    })),
  ),
  {
    from: 'OAuth behind FastAPI',
    status: 400,
    body: { detail: { code: 'temporarily_unavailable' } },
    code: 'temporarily_unavailable',
  },
  ...[404, 405, 406, 409, 415, 423, 429, 500, 502, 503].map((status) => ({
    from: 'whoever',
    status,
    body: { detail: 'No.', code: 'no' },
    code: 'no',
    detail: 'No.',
  })),
  { from: 'errors of another kind', status: 409, body: { errors: ['x'] }, detail: 'x' },
]

const reply = ({ status, body, headers }: Row): Reply => ({
  status,
  body: body ?? '',
  ...(headers && { headers }),
})

const named = (rows: readonly Row[]) =>
  rows.map((row) => [row.status, row.from, JSON.stringify(row.body)?.slice(0, 40), row] as const)

/** Each kind of request that a token endpoint gets. */
const asked = async (row: Row): Promise<Array<Error | boolean>> => {
  const { origin } = await serve(() => reply(row))
  const url = `${origin}/token`
  return Promise.all([
    rejection(simpleJwt({ obtain: url, refresh: url }).login(ALICE)),
    rejection(passwordGrant({ url }).login(ALICE)),
    refreshGrant({ url, refreshToken: 'r' })
      .restore()
      .catch((error) => error),
  ])
}

describe('a refusal', () => {
  it.each(named(refusals))('%i, %s: %s', async (status, _from, _body, row) => {
    const [json, form, restored] = await asked(row)
    for (const error of [json, form]) {
      expect(error).toMatchObject({
        code: 'TOKEN_REFUSED',
        message: expect.stringContaining(`/token answered ${status}, a refusal`),
      })
      expect(error).toHaveProperty('status', status)
      expect(error).toHaveProperty('serverCode', row.code)
      expect(error).toHaveProperty('detail', row.detail)
      expectNoSecret(error, ALICE.password)
    }
    // Nobody is signed in, and that is certain.
    expect(restored).toBe(false)
  })
})

describe('no refusal', () => {
  it.each(named(other))('%i, %s: %s', async (status, _from, _body, row) => {
    for (const error of await asked(row)) {
      expect(error).toMatchObject({
        code: 'TOKEN_UNAVAILABLE',
        message: expect.stringContaining(`/token answered ${status}`),
      })
      expect(error).toHaveProperty('status', status)
      expect(error).toHaveProperty('serverCode', row.code)
      expect(error).toHaveProperty('detail', row.detail)
    }
  })

  it.each([
    [404, /slash at its end|its slash at the end/],
    [405, /another method/],
    [415, /simpleJwt sends JSON, passwordGrant a form/],
    [422, /simpleJwt sends JSON, passwordGrant a form/],
    [401, /isRefused/],
    [403, /CSRF/],
    [419, /CSRF/],
    [500, /asked again later/],
  ])('a %i says what to change', async (status, text) => {
    const [error] = await asked({ from: '', status, body: status === 422 ? FASTAPI_FORM : html })
    expect(error).toMatchObject({ message: expect.stringMatching(text) })
  })

  it('without any answer has no status', async () => {
    const { origin } = await serve(() => ({}))
    const url = origin.replace(/\d+$/, '1')
    const error = await rejection(passwordGrant({ url }).login(ALICE))
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE' })
    expect(error).toHaveProperty('status', undefined)
  })

  it('a redirect is none', async () => {
    const [error] = await asked({ from: '', status: 302, headers: { location: '/login' } })
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE' })
  })
})
