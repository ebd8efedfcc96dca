/** The output of a command, and its questions to the operator. Node only. */
import { createInterface } from 'node:readline/promises'
import type { Writable } from 'node:stream'

export type Terminal = {
  /** Writes a part of the result. Resolves when the stream accepts more. */
  write(text: string): Promise<void>
  /** Writes a line of the result. */
  print(line: string): Promise<void>
  /** Writes a line to stderr, where it does not mix with the result. */
  report(line: string): Promise<void>
  /** Shows the progress of a long command, if stderr is a terminal. `report` and the next `progress` overwrite it. */
  progress(text: string): void
  /** The width of stdout in cells; undefined if it is a pipe or a file. */
  columns: number | undefined
  /** Asks a yes-or-no question. Undefined without a terminal. */
  confirm: ((question: string) => Promise<boolean>) | undefined
}

// Five updates a second show that the command runs, and take almost no CPU.
const PROGRESS_INTERVAL_MS = 200

const CLEAR_LINE = '\r\u001b[K'

export function processTerminal({ stdin, stdout, stderr }: NodeJS.Process = process): Terminal {
  // `list | head` closes the pipe after ten lines, so further output fails with EPIPE.
  stdout.on('error', exitQuietlyIfClosed)
  stderr.on('error', exitQuietlyIfClosed)
  let progressAt = -Infinity
  let isShown = false

  function clearProgress(): void {
    if (isShown) stderr.write(CLEAR_LINE)
    isShown = false
  }

  return {
    write: (text) => {
      clearProgress()
      return writeTo(stdout, text)
    },
    print(line) {
      return this.write(`${line}\n`)
    },
    report(line) {
      clearProgress()
      return writeTo(stderr, `${line}\n`)
    },
    progress(text) {
      if (!stderr.isTTY || performance.now() - progressAt < PROGRESS_INTERVAL_MS) return
      progressAt = performance.now()
      isShown = true
      stderr.write(CLEAR_LINE + text)
    },
    columns: stdout.isTTY ? stdout.columns : undefined,
    confirm: stdin.isTTY && stderr.isTTY ? ask : undefined,
  }

  async function ask(question: string): Promise<boolean> {
    const prompt = createInterface({ input: stdin, output: stderr })
    const answer = await prompt.question(`${question} [y/N] `)
    prompt.close()
    return /^y(es)?$/i.test(answer.trim())
  }
}

/** Resolves after `drain` if the stream is full. Otherwise Node would buffer a large result in memory. */
function writeTo(stream: Writable, text: string): Promise<void> {
  if (stream.write(text)) return Promise.resolve()
  return new Promise((resolve) => stream.once('drain', resolve))
}

function exitQuietlyIfClosed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
