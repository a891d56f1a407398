/** The pages of Chromium that cells are played in. Each is a process, and half a second of work to start. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Cell, Cue } from './cell.ts'

export type CueOf = (id: string, cue: Cue, asks: number) => Promise<void>

/**
 * Chromium delays the dials of a process by 2^(dials under way + share of failed ones), up to seconds, so no
 * page plays many cells.
 */
const CELLS_A_PAGE = 6
const MANY_ROOMS = 4

/**
 * With whom a cell may be played:
 * - `anybody`: at the same time, in the same page.
 * - `successors`: one after the other. Cookies belong to the host, whatever its port.
 * - `nobody`: it dials so often that the page is of no use afterwards.
 */
type Company = 'anybody' | 'successors' | 'nobody'

const companyOf = ({ auth, rooms }: Cell): Company => {
  if (rooms.length >= MANY_ROOMS) return 'nobody'
  return auth.kind === 'session' ? 'successors' : 'anybody'
}

interface Stage {
  readonly company: Company
  readonly opened: Promise<{ readonly context: BrowserContext; readonly page: Page }>
  /** It may still play so many. */
  left: number
  playing: number
}

export class Stages {
  readonly #browser: Browser
  readonly #url: string
  readonly #cueOf: CueOf
  readonly #stages = new Set<Stage>()

  /** @param url of the page that holds the player */
  constructor(browser: Browser, url: string, cueOf: CueOf) {
    this.#browser = browser
    this.#url = url
    this.#cueOf = cueOf
  }

  async on<Result>(cell: Cell, play: (page: Page) => Promise<Result>): Promise<Result> {
    const stage = this.#stageFor(companyOf(cell))
    stage.left -= 1
    stage.playing += 1
    try {
      return await play((await stage.opened).page)
    } finally {
      await this.#leave(stage)
    }
  }

  #stageFor(company: Company): Stage {
    for (const stage of this.#stages)
      if (stage.company === company && stage.left > 0)
        if (company === 'anybody' || stage.playing === 0) return stage
    const left = company === 'nobody' ? 1 : CELLS_A_PAGE
    const stage = { company, opened: this.#open(), left, playing: 0 }
    this.#stages.add(stage)
    return stage
  }

  async #leave(stage: Stage): Promise<void> {
    const { context } = await stage.opened
    if (stage.company === 'successors') await context.clearCookies()
    stage.playing -= 1
    if (stage.left > 0 || stage.playing > 0) return
    this.#stages.delete(stage)
    await context.close()
  }

  async #open(): Promise<{ context: BrowserContext; page: Page }> {
    const context = await this.#browser.newContext()
    const page = await context.newPage()
    await page.exposeFunction('contractCue', this.#cueOf)
    await page.goto(this.#url)
    return { context, page }
  }
}
