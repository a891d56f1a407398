/** One run of the kit over one server. */
import { redactUrl } from '../transmissions/redact.ts'
import { type Check, SECTIONS, type StandingRule } from './check.ts'
import { PROTOCOL } from './frames.ts'
import { tokenOf } from './handshake.ts'
import { CheckFailure, NotChecked } from './judging.ts'
import { lackOf, waitFor } from './needs.ts'
import { type ConformanceOptions, type Resolved, resolveOptions } from './options.ts'
import { overviewOf } from './overview.ts'
import type { CheckResult, ConformanceReport, Outcome, Overview } from './report.ts'
import { type Opened, Scene, type Shared, type Welcome } from './scene.ts'
import { Secrets } from './secrets.ts'
import { CHECKS, isNamed, RULES } from './suite.ts'
import type { RuleId } from './watch.ts'

/** Of the breaches of one rule; the rest is counted. */
const MOST_BREACHES = 2

type Found = Omit<CheckResult, 'id' | 'section' | 'link' | 'level' | 'title'>

/**
 * Runs the suite of docs/protocol.md against a server and tells what it lacks. Where the server does not speak
 * the protocol, an overview of what it does instead.
 *
 * @throws {TypeError} for a wrong option, which is named, or a token function that gives none
 * @throws {InsecureUrlError} INSECURE_URL: `ws:` to a host that is not loopback
 * @throws {Error} when nothing answers at the URL
 */
export async function checkConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const resolved = await resolveOptions(options)
  checkNames(resolved.only)
  return new Run(resolved).report()
}

function checkNames(only: readonly string[] = []): void {
  const wrong = only.find((name) => ![...CHECKS, ...RULES].some((check) => isNamed(check, [name])))
  if (wrong !== undefined)
    throw new TypeError(`checkConformance: only: no check is named '${wrong}'`)
}

class Run {
  readonly #options: Resolved
  readonly #secrets = new Secrets()
  readonly #found = new Map<string, Found>()
  readonly #breaches = new Map<RuleId, string[]>()
  readonly #frames = { '>': new Map<string, number>(), '<': new Map<string, number>() }
  readonly #closing: Promise<void>[] = []
  #shared: Shared
  #scenes = 0

  constructor(options: Resolved) {
    this.#options = options
    this.#shared = {
      options,
      secrets: this.#secrets,
      roomPrefix: `${options.prefix}${randomWord()}-`,
      welcome: undefined,
      breach: (rule, detail) => {
        this.#breaches.set(rule, [...(this.#breaches.get(rule) ?? []), detail])
      },
      count: (direction, type) => {
        const counts = this.#frames[direction]
        counts.set(type, (counts.get(type) ?? 0) + 1)
      },
    }
  }

  async report(): Promise<ConformanceReport> {
    // A user's function that gives no token is no fault of the server.
    await tokenOf(this.#options, this.#secrets, 'a').catch(({ message }: Error) => {
      throw new TypeError(message)
    })
    const scene = this.#scene('the first dial')
    const opening = await scene.open()
    const { speaks, welcome } = await greetingOf(opening)
    this.#shared = { ...this.#shared, welcome }
    this.#closing.push(scene.close())
    const overview = speaks ? undefined : await overviewOf(this.#options, this.#secrets, opening)
    const checks = speaks ? await this.#runAll() : []
    await Promise.all(this.#closing)
    return this.#write(overview, checks)
  }

  async #runAll(): Promise<readonly CheckResult[]> {
    const { only } = this.#options
    const chosen = CHECKS.filter((check) => only === undefined || isNamed(check, only))
    const slow = chosen.filter((check) => check.slow).map((check) => this.#run(check))
    for (const check of chosen.filter(({ slow }) => !slow)) await this.#run(check)
    await Promise.all(slow)
    const results = [
      ...chosen.map((check) => this.#result(check, this.#found.get(check.id))),
      ...RULES.map((rule) => this.#result(rule, this.#judge(rule))),
    ]
    const order = Object.values<string>(SECTIONS)
    return results.sort((a, b) => order.indexOf(a.section) - order.indexOf(b.section))
  }

  async #run(check: Check): Promise<void> {
    const hindrance = this.#hindrance(check)
    const startedAt = performance.now()
    const found = hindrance ?? (await this.#play(check))
    const durationMs = Math.round(performance.now() - startedAt)
    this.#found.set(check.id, hindrance ?? { ...found, durationMs })
  }

  #hindrance(check: Check): Found | undefined {
    const lack = lackOf(check, this.#options, this.#shared.welcome)
    if (lack) return lack
    const failed = this.#failedBefore(check)
    return failed === undefined ? undefined : waitFor(failed)
  }

  /** The check on which this one stands, or one below it, that failed. */
  #failedBefore({ after = [] }: Check): string | undefined {
    for (const id of after) {
      const isDown = id === 'welcome.frame' && this.#shared.welcome === undefined
      if (isDown || this.#found.get(id)?.outcome === 'failed') return id
      const below = CHECKS.find((check) => check.id === id)
      const failed = below && this.#failedBefore(below)
      if (failed) return failed
    }
    return undefined
  }

  async #play(check: Check): Promise<Found> {
    const scene = this.#scene(check.id)
    try {
      await check.run(scene)
      return { outcome: 'passed' }
    } catch (error) {
      if (error instanceof NotChecked) return { outcome: 'not-checked', detail: error.message }
      const { fix, trace } = { fix: check.fix, trace: scene.trace }
      if (error instanceof CheckFailure)
        return {
          outcome: 'failed',
          detail: error.message,
          fix: error.fix ?? fix,
          trace: [...trace],
        }
      const detail = `the kit could not go on: ${error instanceof Error ? error.message : ''}`
      return { outcome: 'failed', detail, fix, trace: [...trace] }
    } finally {
      this.#closing.push(scene.close())
    }
  }

  #judge(rule: StandingRule): Found {
    const { welcome } = this.#shared
    const lack = lackOf(rule, this.#options, welcome)
    // The id of a standing rule is one of those that are watched.
    const breaches = this.#breaches.get(rule.id as RuleId)
    if (breaches === undefined)
      return lack ?? (welcome ? { outcome: 'passed' } : waitFor('welcome.frame'))
    const rest = breaches.length - MOST_BREACHES
    const detail = breaches.slice(0, MOST_BREACHES).join('; ')
    return {
      outcome: 'failed',
      detail: rest > 0 ? `${detail}; and ${rest} more` : detail,
      fix: rule.fix,
    }
  }

  #result({ id, section, level, title }: Check | StandingRule, found?: Found): CheckResult {
    const { outcome = 'not-checked', detail, fix, trace, ...rest } = found ?? {}
    const clean = (text: string): string => this.#secrets.redact(text)
    return {
      ...{
        id,
        section: SECTIONS[section],
        link: `docs/protocol.md#${section}`,
        level,
        title,
        outcome,
      },
      ...rest,
      ...(detail !== undefined && { detail: clean(detail) }),
      ...(fix !== undefined && { fix: clean(fix) }),
      ...(trace !== undefined && { trace: trace.map(clean) }),
    }
  }

  #write(overview: Overview | undefined, checks: readonly CheckResult[]): ConformanceReport {
    const count = (wanted: Outcome): number =>
      checks.filter(({ outcome }) => outcome === wanted).length
    const isBroken = checks.some(({ outcome, level }) => outcome === 'failed' && level === 'must')
    return {
      url: redactUrl(this.#options.url),
      speaks: overview === undefined,
      overview,
      features: this.#shared.welcome?.features ?? [],
      checks,
      counts: {
        passed: count('passed'),
        failed: count('failed'),
        'not-offered': count('not-offered'),
        'not-checked': count('not-checked'),
      },
      frames: {
        sent: Object.fromEntries(this.#frames['>']),
        received: Object.fromEntries(this.#frames['<']),
      },
      conforms: overview === undefined && !isBroken,
    }
  }

  #scene(name: string): Scene {
    this.#scenes += 1
    return new Scene(this.#shared, name, this.#scenes)
  }
}

interface Greeting {
  readonly speaks: boolean
  readonly welcome: Welcome | undefined
}

/** Servers that echo whatever is offered do not speak the protocol; one that refuses our token may. */
async function greetingOf(opening: Opened): Promise<Greeting> {
  if (opening.kind !== 'open' || opening.peer.echoed !== PROTOCOL)
    return { speaks: false, welcome: undefined }
  const { peer } = opening
  // Where there is none, the check of the welcome says why.
  const welcome = await peer.take({ type: 'welcome' }).catch(() => undefined)
  const code = peer.ending?.code
  const isRefused = code === 4003 || code === 4401
  return { speaks: welcome !== undefined || isRefused || peer.sentWrong('welcome'), welcome }
}

const randomWord = (): string =>
  [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(36)).join('')
