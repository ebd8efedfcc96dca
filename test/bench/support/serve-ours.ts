/** Runs the bind server in the same way as `serve`, and counts its SQLite commits. */
import { DatabaseSync } from 'node:sqlite'
import { reportUsage } from './report-usage.ts'

let commits = 0
const { prepare } = DatabaseSync.prototype
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest)
  if (sql !== 'commit') return statement
  for (const name of ['run', 'all'] as const) {
    const original = statement[name].bind(statement) as () => never
    statement[name] = () => {
      commits++
      return original()
    }
  }
  return statement
}

const { startServer } = await import('../../../server/serve.ts')
const running = await startServer(process.env)
reportUsage(running.url, () => commits, running.close)
