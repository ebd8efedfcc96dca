/** Writes the output of a command, and asks the operator questions. Node only. */
import { createInterface } from 'node:readline/promises'
import type { Writable } from 'node:stream'
import { BindError } from '../errors.ts'

export type Terminal = {
  /** Writes a part of the result. Resolves when it is written. Ends the process if the reader has closed the pipe. */
  write(text: string): Promise<void>
  /** Writes the only line or the last line of the result. */
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
  // Without a listener an error would end the process. `writeTo` returns the error.
  stdout.on('error', () => {})
  stderr.on('error', () => {})
  let progressAt = -Infinity
  let isShown = false

  function clearProgress(): void {
    if (isShown) stderr.write(CLEAR_LINE)
    isShown = false
  }

  /** Returns false if the reader has closed the pipe. */
  async function output(text: string): Promise<boolean> {
    clearProgress()
    const error = await writeTo(stdout, text)
    if (error === undefined || error.code === 'EPIPE') return error === undefined
    throw new BindError(
      'BAD_REQUEST',
      `The output cannot be written (${error.code}): check the free space.\n输出无法写入（${error.code}）：请检查剩余空间。`,
      { cause: error },
    )
  }

  return {
    async write(text) {
      // `list | head` closes the pipe after ten lines.
      if (!(await output(text))) process.exit(0)
    },
    async print(line) {
      await output(`${line}\n`)
    },
    async report(line) {
      clearProgress()
      // An import continues without its reports: `2>&1 | head` must not stop it halfway.
      await writeTo(stderr, `${line}\n`)
    },
    progress(text) {
      if (!stderr.isTTY || performance.now() - progressAt < PROGRESS_INTERVAL_MS) return
      progressAt = performance.now()
      isShown = true
      stderr.write(CLEAR_LINE + text)
    },
    // Some terminals have the width 0, which means that it is unknown.
    columns: (stdout.isTTY && stdout.columns) || undefined,
    confirm: stdin.isTTY && stderr.isTTY ? ask : undefined,
  }

  async function ask(question: string): Promise<boolean> {
    const prompt = createInterface({ input: stdin, output: stderr })
    // Ctrl-C and Ctrl-D close the prompt without an answer.
    const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('')))
    const answer = await Promise.race([prompt.question(`${question} [y/N] `).catch(() => ''), closed])
    prompt.close()
    return /^y(es)?$/i.test(answer.trim())
  }
}

/** Resolves after the write, with the error if the write failed. Without waiting, Node would buffer a large result in memory. */
async function writeTo(stream: Writable, text: string): Promise<NodeJS.ErrnoException | undefined> {
  // After an error, Node buffers the text and never calls the callback.
  if (stream.errored) return stream.errored
  return new Promise((resolve) => stream.write(text, (error) => resolve(error ?? undefined)))
}
