/** The doctor in a page of Chromium: what a browser shows is little, and it says no more than that. */
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Diagnosis } from '../../src/doctor/index.ts'
import { refuse, sockets, tokenOf, web } from '../doctor/corpus/handmade.ts'
import { inSeconds, mint } from '../doctor/corpus/jwt.ts'
import { makeCertificate, type Running } from '../doctor/corpus/python.ts'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'

const TOKEN = mint({ sub: 'alice' })
const EXPIRED = mint({ sub: 'alice', exp: inSeconds(-60) })
const ENTRY = fileURLToPath(new URL('doctor-page.ts', import.meta.url))

type Upgrade = Parameters<typeof web>[0]['upgrade']

/** By its path, one server plays all parts. */
const parts: Readonly<Record<string, NonNullable<Upgrade>>> = {
  '/good': sockets(),
  '/slash/': sockets(),
  '/closes': sockets((_request, socket) => socket.close(4401)),
  '/silent': sockets(undefined, { handleProtocols: () => false }),
  '/query': (request, socket, head) =>
    tokenOf(request) === TOKEN
      ? sockets()(request, socket, head)
      : refuse(() => ({ status: 403 }))(request, socket),
}

const upgrade: Upgrade = (request, socket, head) => {
  const { pathname } = new URL(request.url ?? '/', 'http://host')
  const part = parts[pathname] ?? refuse(() => ({ status: 403 }))
  part(request, socket, head)
}

let browser: Browser
let plainSite: Running
let secureSite: Running
beforeAll(async () => {
  const script = await pageScript(ENTRY, 'doctor')
  const page = ({ url = '/' }: { url?: string | undefined }) => ({
    status: url.startsWith('/page') ? 200 : 404,
    headers: {
      'Content-Type': 'text/html',
      ...(url.includes('csp') && {
        'Content-Security-Policy': "connect-src 'self' http:; default-src 'self' 'unsafe-inline'",
      }),
    },
    body: `<!doctype html><title>doctor</title><script>${script}</script>`,
  })
  const tls = await makeCertificate('127.0.0.1', 30)
  ;[browser, plainSite, secureSite] = await Promise.all([
    launchChromium(),
    web({ page, upgrade }),
    web({ page, upgrade, tls }),
  ])
})
afterAll(() => Promise.all([browser?.close(), plainSite?.close(), secureSite?.close()]))

interface Visit {
  /** Default: the plain site. */
  readonly page?: string
  readonly url: string
  readonly token?: string
  readonly way?: 'query' | 'pair'
}

/** @returns what `diagnose` says in a page of its own */
async function diagnosed({
  page: at,
  url,
  token = TOKEN,
  way = 'pair',
}: Visit): Promise<Diagnosis> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  try {
    const page = await context.newPage()
    await page.goto(at ?? `http://127.0.0.1:${plainSite.port}/page`)
    return await page.evaluate(
      // The page's own global, of the script above.
      (visit) => (globalThis as unknown as { doctor: Doctor }).doctor.look(visit),
      { url, token, way },
    )
  } finally {
    await context.close()
  }
}

interface Doctor {
  look(visit: { url: string; token: string; way: string }): Promise<Diagnosis>
}

const at = (path: string): string => `ws://127.0.0.1:${plainSite.port}${path}`

describe('in a browser the doctor', () => {
  it('leaves a healthy socket alone', async () => {
    expect(await diagnosed({ url: at('/good') })).toMatchObject({ cause: 'healthy' })
  })

  it('names what one change proves', async () => {
    expect(await diagnosed({ url: at('/slash') })).toMatchObject({
      cause: 'wrong-slash',
      confidence: 'certain',
      path: '/slash/',
    })
    expect(await diagnosed({ url: at('/query') })).toMatchObject({
      cause: 'token-elsewhere',
      confidence: 'certain',
      way: 'query:token',
    })
  })

  it('names what the server said after the accept', async () => {
    expect(await diagnosed({ url: at('/closes'), way: 'query' })).toMatchObject({
      cause: 'token-refused',
      code: 4401,
    })
  })

  it('takes a missing echo for likely', async () => {
    expect(await diagnosed({ url: at('/silent') })).toMatchObject({
      cause: 'subprotocol-not-echoed',
      confidence: 'likely',
    })
  })

  it('takes an expired token for likely', async () => {
    expect(await diagnosed({ url: at('/query'), token: EXPIRED })).toMatchObject({
      cause: 'token-expired',
      confidence: 'likely',
    })
  })

  it('names nothing where nothing is to be seen, and says where more is', async () => {
    const refused = await diagnosed({ url: at('/nothing') })
    expect(refused).toMatchObject({ cause: 'unknown', confidence: 'none' })
    expect(refused.fix).toContain('npx authed-socket doctor')
    const absent = await diagnosed({ url: 'ws://127.0.0.1:9/ws' })
    expect(absent).toMatchObject({ cause: 'unknown' })
    expect(absent.orElse).toContain('port-refused')
  })

  it('names a page on https that opens ws', async () => {
    const page = `https://127.0.0.1:${secureSite.port}/page`
    expect(await diagnosed({ page, url: 'ws://chat.example/ws' })).toMatchObject({
      cause: 'mixed-content',
      confidence: 'certain',
    })
  })

  it('names a policy of the page', async () => {
    const page = `http://127.0.0.1:${plainSite.port}/page?csp`
    expect(await diagnosed({ page, url: 'wss://chat.example/ws' })).toMatchObject({
      cause: 'blocked-by-csp',
      confidence: 'certain',
    })
  })
})
