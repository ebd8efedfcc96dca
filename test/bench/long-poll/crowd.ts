/** Pages that wait, as bare sockets: 10,000 of them fit into one process, and cost next to nothing beside the server. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type Page = {
  socket: Socket
  send(request: string): void
  /** Called with each answer, when it comes; each fits into one packet. */
  onAnswer: (answer: string, at: number) => void
}

// More at once than the listener's backlog only makes some of them wait a second for their SYN's second try.
const ARRIVE_TOGETHER = 100

async function openPage(port: number): Promise<Page> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const page: Page = { socket, send: (request) => socket.write(request), onAnswer: () => {} }
  socket.on('data', (text: string) => page.onAnswer(text, performance.now()))
  return page
}

/** `arrive` is called for each hundred that have come, and waited for. */
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

/** When the next answer of this page comes. */
export const nextAnswer = (page: Page): Promise<number> =>
  new Promise((resolve) => {
    page.onAnswer = (_, at) => resolve(at)
  })
