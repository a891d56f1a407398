/** A page in Firefox, over WebDriver BiDi. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { ensureFirefox } from '../../scripts/firefox.mjs'
import { heard, scratch, start } from './processes.ts'

/** Serves an empty page with this script. */
export const servePage = async (script: string): Promise<string> => {
  const server = createServer(({ url }, response) => {
    const isScript = url === '/script.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><script src="/script.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // Of a TCP server it is an object.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

interface Answer {
  readonly id?: number
  readonly type: string
  readonly message?: string
  readonly result?: { readonly [name: string]: unknown }
}

const connectTo = async (url: string) => {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  onTestFinished(() => socket.terminate())
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  })
  let last = 0
  return async (method: string, params: object = {}) => {
    const id = ++last
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    const { type, message, result = {} } = await answered
    if (type !== 'success') throw new Error(`${method}: ${message}`)
    return result
  }
}

export interface Page {
  /** The value of an expression, or of its promise, by way of JSON. */
  evaluate(expression: string): Promise<unknown>
}

export const openFirefox = async (url: string): Promise<Page> => {
  const child = start(await ensureFirefox(), [
    '--headless',
    '--no-remote',
    '--remote-debugging-port=0',
    '--profile',
    scratch(),
  ])
  const call = await connectTo(`${await heard(child, /BiDi listening on (ws:\S+)/)}/session`)
  await call('session.new', { capabilities: {} })
  const { contexts } = (await call('browsingContext.getTree')) as {
    contexts: { context: string }[]
  }
  const context = contexts[0]?.context
  await call('browsingContext.navigate', { context, url, wait: 'complete' })
  return {
    evaluate: async (expression) => {
      const { result, exceptionDetails } = (await call('script.evaluate', {
        expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value ?? null))`,
        target: { context },
        awaitPromise: true,
      })) as { result?: { value: string }; exceptionDetails?: { text: string } }
      if (result === undefined) throw new Error(exceptionDetails?.text)
      return JSON.parse(result.value) as unknown
    },
  }
}
