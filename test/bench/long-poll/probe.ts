/**
 * Requests /healthz ten times a second. The requests come from a separate thread, so that a busy event loop of the load
 * generator does not count as a delay of the server.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const EVERY_MS = 100

/** `end` resolves with the response times in ms. */
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
    // Also waits for the requests that have no answer yet, because one of them may be the slowest.
    parentPort!.postMessage(await Promise.all(probes))
  })
}

async function timeOf(url: string): Promise<number> {
  const sentAt = performance.now()
  await (await fetch(`${url}/healthz`)).text()
  return performance.now() - sentAt
}

if (!isMainThread) probe(workerData)
