/** Runs the bind server in the same way as `serve`, and counts its commits. */
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
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

const query = pg.Client.prototype.query as (...statement: unknown[]) => unknown
Object.assign(pg.Client.prototype, {
  query(this: pg.Client, ...statement: unknown[]) {
    if ((statement[0] as { text?: string }).text === 'commit') commits++
    return query.apply(this, statement)
  },
})

const { startServer } = await import('../../../server/serve.ts')
const running = await startServer(process.env)
reportUsage(running, () => commits, running.close)
