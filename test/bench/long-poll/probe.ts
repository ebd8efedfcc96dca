/**
 * Requests /healthz ten times a second on a separate thread, so that delays of the load's event loop do not count as delays of
 * the server.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const EVERY_MS = 100

/** `end` resolves with the time of each answer in ms. */
export function startProbe(url: string): { end: () => Promise<number[]> } {
  const worker = new Worker(new URL(import.meta.url), { workerData: url })
  return {
    end: () => {
      const { promise, resolve, reject } = Promise.withResolvers<number[]>()
      worker.once('message', resolve).once('error', reject)
      worker.postMessage('end')
      return promise
    },
  }
}

function probe(url: string): void {
  const probes: Promise<number>[] = []
  const probing = setInterval(() => probes.push(timeOf(url)), EVERY_MS)
  parentPort!.once('message', async () => {
    clearInterval(probing)
    // Waits for the requests in flight, too, because one of them may be the slowest.
    parentPort!.postMessage(await Promise.all(probes))
  })
}

async function timeOf(url: string): Promise<number> {
  const sentAt = performance.now()
  await (await fetch(`${url}/healthz`)).text()
  return performance.now() - sentAt
}

if (!isMainThread) probe(workerData)
