/**
 * Runs in the process of the measured server. Reports the URLs of the server at the start, and the used resources on
 * request.
 */
import type { Usage } from './served.ts'

type Started = { url: string; consoleUrl?: string | undefined }

export function reportUsage(
  { url, consoleUrl }: Started,
  commits = () => 0,
  close: () => Promise<void> = async () => {},
): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuUs: user + system, rss: process.memoryUsage.rss(), commits: commits() } satisfies Usage)
  })
  process.on('SIGTERM', () => void close().then(() => process.exit(0)))
  // The parent process is gone when the bench was aborted. This process then exits, too.
  process.on('disconnect', () => process.exit(1))
  process.send!({ url, consoleUrl })
}
