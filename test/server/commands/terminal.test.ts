/** The terminal of a process: pipes that close, a full disk, and questions without an answer. */
import { PassThrough, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { processTerminal } from '../../../server/commands/terminal.ts'

const failing = (code: string) =>
  new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    autoDestroy: false,
  })

const terminalOf = (streams: { stdin?: unknown; stdout?: unknown; stderr?: unknown }) =>
  processTerminal({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    ...streams,
  } as unknown as NodeJS.Process)

test('a command continues when the reader of its reports has closed the pipe', async () => {
  const terminal = terminalOf({ stderr: failing('EPIPE') })
  await terminal.report('line 1: refused')
  await expect(terminal.report('line 2: refused')).resolves.toBeUndefined()
})

test('the last line does not end the process when its pipe is closed, so that the exit code is kept', async () => {
  await expect(terminalOf({ stdout: failing('EPIPE') }).print('Imported')).resolves.toBeUndefined()
})

test('output on a full disk is refused with the reason', async () => {
  const refusal = { code: 'BAD_REQUEST', message: expect.stringContaining('cannot be written (ENOSPC)') }
  await expect(terminalOf({ stdout: failing('ENOSPC') }).write('a')).rejects.toMatchObject(refusal)
})

test('a terminal of unknown width truncates nothing', () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 0 })
  expect(terminalOf({ stdout }).columns).toBeUndefined()
})

test('a question that is closed without an answer means no', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  const answer = terminalOf({ stdin, stderr }).confirm?.('Erase?')
  stdin.end()
  expect(await answer).toBe(false)
})
