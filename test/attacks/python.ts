/** Python programs of this folder, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { boundToUs, endWithUs } from '../support/children.ts'
import { PYTHON, ROOT } from './modules.ts'

const HERE = 'test/attacks'

export interface Program {
  /** The next line that it prints, read as JSON. */
  line<Answer>(): Promise<Answer>
  /** Tells it to go on, and gives the line that it prints then. */
  next<Answer>(): Promise<Answer>
  stop(): void
}

/** @param options given to the program as one JSON text */
export function startPython(
  file: string,
  options: object,
  env: Record<string, string> = {},
): Program {
  const [program, args] = boundToUs(PYTHON, [`${HERE}/${file}`, JSON.stringify(options)])
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
  })
  endWithUs(child)
  const complaint = complaintOf(child)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async <Answer>(): Promise<Answer> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${file} ended: ${await complaint}`)
    // The program's, which the caller knows.
    return JSON.parse(String(value)) as Answer
  }
  return {
    line,
    next<Answer>() {
      child.stdin.write('\n')
      return line<Answer>()
    },
    stop: () => child.kill('SIGKILL'),
  }
}

async function complaintOf(child: ChildProcess): Promise<string> {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(-4_000)
  })
  await once(child, 'close')
  return text
}

/** For one that prints a single line and ends. */
export async function askPython<Answer>(
  file: string,
  options: object,
  env: Record<string, string> = {},
): Promise<Answer> {
  const program = startPython(file, options, env)
  try {
    return await program.line<Answer>()
  } finally {
    program.stop()
  }
}
