/**
 * Sends requests over plain sockets. The event loop never sleeps. Otherwise each response time would include the time
 * that the process needs to wake up.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Job, Result } from './load.ts'
import { makeRequests, type Recipe } from './requests.ts'

let requests: Buffer[] = []

process.on('disconnect', () => process.exit(1))

process.on('message', async ({ recipe, job }: { recipe?: Recipe; job?: Job }) => {
  if (recipe) requests = await makeRequests(recipe)
  process.send!(job ? await run(job) : 'made')
})

type Connection = { socket: Socket; dueAt: number; text: string }

async function run({ urls, from, count, connections, ms, rate, expects }: Job): Promise<Result> {
  const times: number[] = []
  const free: Connection[] = []
  let next = from
  let wrong = 0
  let firstWrong: string | undefined
  let isTouched = false
  const startedAt = performance.now()
  const isOver = () => next === from + count || performance.now() - startedAt >= ms

  function send(connection: Connection, dueAt: number): void {
    connection.dueAt = dueAt
    connection.text = ''
    connection.socket.write(requests[next++ % requests.length]!)
  }

  function receive(connection: Connection, chunk: string): void {
    isTouched = true
    connection.text += chunk
    const answer = parseAnswer(connection.text)
    if (!answer) return
    const now = performance.now()
    times.push(now - connection.dueAt)
    if (
      answer.status !== expects.status ||
      (expects.isEmpty !== undefined && (answer.body === 'success') !== expects.isEmpty)
    ) {
      wrong++
      firstWrong ??= connection.text
    }
    if (rate === undefined && !isOver()) send(connection, now)
    else free.push(connection)
  }

  async function open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1')
    const connection: Connection = { socket, dueAt: 0, text: '' }
    await once(socket, 'connect')
    socket.on('data', (chunk) => receive(connection, String(chunk)))
    socket.on('error', (error) => {
      throw new Error(`after ${times.length} answers, on a connection that got ${JSON.stringify(connection.text)}`, {
        cause: error,
      })
    })
    return connection
  }

  // All at once: on a busy machine, one after the other takes longer than the 10 s after which the server closes a
  // connection without a request.
  free.push(...(await Promise.all(Array.from({ length: connections }, (_, i) => open(urls[i % urls.length]!)))))

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
        send(free.shift()!, dueAt)
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

/** Parses an answer. Returns undefined while the answer is incomplete. The servers send a Content-Length or chunks. */
function parseAnswer(text: string): { status: number; body: string } | undefined {
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const status = Number(text.slice(9, 12))
  const body = text.slice(headEnd + 4)
  const length = /content-length: (\d+)/i.exec(text)?.[1]
  if (length !== undefined) return body.length >= Number(length) ? { status, body } : undefined
  return body.endsWith('0\r\n\r\n') ? { status, body } : undefined
}
