import { type Browser, chromium } from 'playwright-core'
import { ensureChromium } from '../../scripts/chromium.mjs'

/** Silence: a test browser asks for nothing but what the page under test asks for. */
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // /dev/shm is 64 MB in most containers, and a full one crashes the page.
  '--disable-dev-shm-usage',
]

/**
 * A real Chromium with a fresh user-data-dir (made and removed by playwright-core).
 * Pages of one context share storage and Web Locks; use `browser.newContext()` for strangers.
 * Close it in `afterAll`, or `await using browser = await launchChromium()`.
 */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: await ensureChromium(),
    headless: true,
    chromiumSandbox: false,
    args: [...ARGS, ...args],
  })
}
