/** The bind server, as `serve` runs it; its SQLite commits are counted. */
import { DatabaseSync } from 'node:sqlite'
import { beMeasured } from './be-measured.ts'

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
beMeasured(running.url, () => commits, running.close)
