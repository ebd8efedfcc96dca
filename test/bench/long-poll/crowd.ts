/**
 * Waiting pages as plain sockets. One process can hold 10,000 of them, and needs little CPU time compared with the
 * server.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type Page = {
  socket: Socket
  send(request: string): void
  /** Called with each answer and its time. An answer fits into one packet. */
  onAnswer: (answer: string, at: number) => void
}

// The number of pages that are opened at a time. It is smaller than the listener's backlog: a connection beyond the
// backlog waits a second until its SYN is sent again.
const ARRIVE_TOGETHER = 100

async function openPage(port: number): Promise<Page> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const page: Page = { socket, send: (request) => socket.write(request), onAnswer: () => {} }
  socket.on('data', (text: string) => page.onAnswer(text, performance.now()))
  return page
}

/** Opens a hundred pages at a time, and waits for `arrive` after each hundred. */
export async function openCrowd(
  port: number,
  size: number,
  arrive: (pages: Page[], first: number) => Promise<void>,
): Promise<Page[]> {
  const pages: Page[] = []
  while (pages.length < size) {
    const count = Math.min(ARRIVE_TOGETHER, size - pages.length)
    const group = await Promise.all(Array.from({ length: count }, () => openPage(port)))
    await arrive(group, pages.length)
    pages.push(...group)
  }
  return pages
}

/** Resolves with the time of the next answer. */
export const nextAnswer = (page: Page): Promise<number> =>
  new Promise((resolve) => {
    page.onAnswer = (_, at) => resolve(at)
  })
