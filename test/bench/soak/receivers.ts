/**
 * Five webhook receivers: one accepts every webhook, one fails sometimes, one always fails, one never answers, and one
 * refuses the connection. Also the other system of the account (`FORWARD_URL`).
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// For the receiver that fails sometimes, every fifth answer is an error.
const FAILS_EVERY = 5

export async function startReceivers() {
  const counts = { accepted: 0, refused: 0, left: 0, forwarded: 0 }
  let now = 0
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/hangs') {
        counts.left++
        return
      }
      if (request.url?.startsWith('/forward')) {
        counts.forwarded++
        return response.end('success')
      }
      const isRefused = request.url === '/fails' || (request.url === '/flaky' && now++ % FAILS_EVERY === 0)
      if (isRefused) counts.refused++
      else counts.accepted++
      response.writeHead(isRefused ? 500 : 204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Returns a port at which no server listens any more.
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const refused = (closed.address() as AddressInfo).port
  closed.close()
  const { port } = server.address() as AddressInfo
  const base = `http://127.0.0.1:${port}`
  const urls: [name: string, url: string][] = [
    ['good', `${base}/good`],
    ['flaky', `${base}/flaky`],
    ['fails', `${base}/fails`],
    ['hangs', `${base}/hangs`],
    ['closed', `http://127.0.0.1:${refused}/`],
  ]
  return {
    urls,
    port,
    forwardUrl: `${base}/forward`,
    counts,
    end() {
      server.close()
      server.closeAllConnections()
    },
  }
}
