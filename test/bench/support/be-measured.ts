/** The child's side of `serve`: says where it listens, and what it has used. */
import type { Usage } from './served.ts'

export function beMeasured(url: string, commits = () => 0, close: () => Promise<void> = async () => {}): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuUs: user + system, rss: process.memoryUsage.rss(), commits: commits() } satisfies Usage)
  })
  process.on('SIGTERM', () => void close().then(() => process.exit(0)))
  // A run that was cut off leaves nobody behind.
  process.on('disconnect', () => process.exit(1))
  process.send!({ url })
}
