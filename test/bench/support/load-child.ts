/** Sends requests over plain sockets and never sleeps: a wake-up would be added to every answer's time. */
import { connect, type Socket } from 'node:net'
import type { Job, Result } from './load.ts'
import { makeRequests, type Recipe } from './requests.ts'

let requests: Buffer[] = []

process.on('disconnect', () => process.exit(1))

process.on('message', async ({ recipe, job }: { recipe?: Recipe; job?: Job }) => {
  if (recipe) requests = await makeRequests(recipe)
  process.send!(job ? await run(job) : 'made')
})

type Line = { socket: Socket; dueAt: number; text: string }

async function run({ url, from, count, connections, ms, rate, expects }: Job): Promise<Result> {
  const { hostname, port } = new URL(url)
  const times: number[] = []
  const free: Line[] = []
  let next = from
  let wrong = 0
  let firstWrong: string | undefined
  let isTouched = false
  const startedAt = performance.now()
  const isOver = () => next === from + count || performance.now() - startedAt >= ms

  function send(line: Line, dueAt: number): void {
    line.dueAt = dueAt
    line.text = ''
    line.socket.write(requests[next++ % requests.length]!)
  }

  function hear(line: Line, chunk: string): void {
    isTouched = true
    line.text += chunk
    const answer = parseAnswer(line.text)
    if (!answer) return
    const now = performance.now()
    times.push(now - line.dueAt)
    if (
      answer.status !== expects.status ||
      (expects.isEmpty !== undefined && (answer.body === 'success') !== expects.isEmpty)
    ) {
      wrong++
      firstWrong ??= line.text
    }
    if (rate === undefined && !isOver()) send(line, now)
    else free.push(line)
  }

  for (let i = 0; i < connections; i++) {
    const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1')
    const line: Line = { socket, dueAt: 0, text: '' }
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.on('data', (chunk) => hear(line, String(chunk)))
    free.push(line)
  }

  let idleMs = 0
  const begunAt = performance.now()
  let dueAt = begunAt
  if (rate === undefined) while (free.length > 0) send(free.pop()!, performance.now())
  await new Promise<void>((resolve) => {
    let turnedAt = performance.now()
    const turn = () => {
      const now = performance.now()
      if (!isTouched) idleMs += now - turnedAt
      isTouched = false
      turnedAt = now
      while (rate !== undefined && dueAt <= now && free.length > 0 && !isOver()) {
        send(free.pop()!, dueAt)
        dueAt += 1000 / rate
      }
      if (free.length === connections && isOver()) resolve()
      else setImmediate(turn)
    }
    turn()
  })
  const seconds = (performance.now() - begunAt) / 1000
  const sockets = free.map(({ socket }) => socket)
  for (const socket of sockets) socket.destroy()
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
  return {
    sent: times.length,
    seconds,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    idle: idleMs / 1000 / seconds,
    wrong,
    firstWrong,
  }
}

const HEAD_END = '\r\n\r\n'

/** Undefined while it is not all there. Our servers give every answer a length or send it in chunks. */
function parseAnswer(text: string): { status: number; body: string } | undefined {
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const status = Number(text.slice(9, 12))
  const body = text.slice(headEnd + 4)
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  if (length !== undefined) return body.length >= Number(length) ? { status, body } : undefined
  return body.endsWith('0\r\n\r\n') ? { status, body } : undefined
}
