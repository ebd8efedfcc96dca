/** Runs in the measured server's process. Reports the server's URL at the start, and its usage on request. */
import type { Usage } from './served.ts'

export function reportUsage(url: string, commits = () => 0, close: () => Promise<void> = async () => {}): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuUs: user + system, rss: process.memoryUsage.rss(), commits: commits() } satisfies Usage)
  })
  process.on('SIGTERM', () => void close().then(() => process.exit(0)))
  // The process exits when the bench is aborted.
  process.on('disconnect', () => process.exit(1))
  process.send!({ url })
}
