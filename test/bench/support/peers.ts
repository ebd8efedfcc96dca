/**
 * Starts the other libraries that the benchmark measures. They are in a separate package, so that `npm ci` of the
 * project does not install them.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sceneOf } from './requests.ts'
import { type Served, serve } from './served.ts'

const folder = join(import.meta.dirname, '../peers')

/** The first run needs access to the npm registry. */
export function installPeers(): void {
  if (existsSync(join(folder, 'node_modules/better-sqlite3'))) return
  // No package has to run an install script, because better-sqlite3 contains its binaries.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' })
  if (status !== 0)
    throw new Error('The peers could not be installed: npm ci in test/bench/peers needs access to the npm registry.')
}

/** Starts a peer that answers every message and stores nothing. */
export const servePeer = (name: string, env: Record<string, string>): Promise<Served> =>
  serve('../peers/serve.mjs', env, [], [name])

/**
 * Starts a peer that stores the binding of each scan in `file` before it answers. The file contains `tickets` tickets.
 */
export function serveDurablePeer(
  name: string,
  env: Record<string, string>,
  file: string,
  tickets: number,
): Promise<Served> {
  const db = new DatabaseSync(file)
  db.exec(readFileSync(join(folder, 'bindings.sql'), 'utf8'))
  db.exec('begin')
  const add = db.prepare('insert into tickets (scene, user) values (?, ?)')
  for (let i = 0; i < tickets; i++) add.run(sceneOf(i), `u${i}`)
  db.exec('commit')
  db.close()
  return serve('../peers/serve.mjs', env, [], [name, file])
}
