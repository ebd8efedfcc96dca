/** Takes samples of the measured server with `/proc`: memory, descriptors, sizes of files, and rows. Linux only. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { query } from '../../support/postgres.ts'
import type { Rows } from './rows.ts'
import type { Soaked } from './server.ts'

export type Sample = {
  /** Seconds since the start. */
  at: number
  /**
   * The memory of the process without mapped files (`memory`) and with mapped files (`rss`). All sizes are in bytes.
   */
  memory: number
  rss: number
  /** The memory in use after a garbage collection. Most samples do not have this value. */
  heap?: number
  descriptors: Descriptors
  database: number
  /** The write-ahead log of the database. */
  wal: number
  log: number
  /** The number of callbacks that the bench has sent so far. */
  callbacks: number
  rows: Record<string, number>
}

/**
 * `fixed` contains files, pipes, listening sockets and similar descriptors, in order. The other descriptors exist only
 * during requests.
 */
export type Descriptors = { fixed: string[]; clients: number; outgoing: number; database: number }

type Kind = keyof Descriptors

type Ports = { server: Set<number>; outgoing: Set<number>; database: number | undefined }

export type Sampler = (callbacks: number, withHeap: boolean) => Promise<Sample>

export function createSampler(soaked: Soaked, databaseUrl: string, rows: Rows): Sampler {
  const startedAt = performance.now()
  const { urls, wechat, receivers, pid, files } = soaked
  const portOf = (url: string) => Number(new URL(url).port)
  const isSqlite = databaseUrl.startsWith('sqlite:')
  const ports: Ports = {
    server: new Set([urls.url, urls.ops, urls.console].map(portOf)),
    outgoing: new Set([portOf(wechat.url), ...receivers.urls.map(([, url]) => portOf(url))]),
    database: isSqlite ? undefined : portOf(databaseUrl),
  }
  const sizes = isSqlite ? sizesOfFile(databaseUrl.slice('sqlite:'.length)) : () => sizesOfPostgres(databaseUrl)
  return async (callbacks, withHeap) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const sample = {
      at: (performance.now() - startedAt) / 1000,
      memory: kibOf(status, 'RssAnon'),
      rss: kibOf(status, 'VmRSS'),
      descriptors: descriptorsOf(pid, ports),
      ...(await sizes()),
      log: statSync(files.log).size,
      callbacks,
      rows: await rows.count(),
    }
    return withHeap ? { ...sample, heap: await soaked.heap() } : sample
  }
}

const kibOf = (status: string, name: string) =>
  Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) * 1024

const sizesOfFile = (file: string) => async () => ({ database: statSync(file).size, wal: statSync(`${file}-wal`).size })

async function sizesOfPostgres(url: string): Promise<{ database: number; wal: number }> {
  const text = 'select pg_database_size(current_database()) as database, (select sum(size) from pg_ls_waldir()) as wal'
  const [row] = await query<{ database: string; wal: string }>(url, text)
  return { database: Number(row!.database), wal: Number(row!.wal) }
}

/** A descriptor is not counted if it is closed while this function reads it. */
function descriptorsOf(pid: number, ports: Ports): Descriptors {
  const folder = `/proc/${pid}/fd`
  const targets = readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      return []
    }
  })
  // The tables are read after the descriptors, so that they contain a connection that was accepted in between.
  const kinds = socketKinds(pid, ports)
  const counted: Descriptors = { fixed: [], clients: 0, outgoing: 0, database: 0 }
  for (const target of targets) {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    // The server reads its own figures there for `/metrics`.
    if (target.startsWith('/proc/')) continue
    // If a socket is not in the tables, it is just being opened or closed.
    const kind = inode === undefined ? 'fixed' : (kinds.get(inode) ?? 'outgoing')
    if (kind === 'fixed') counted.fixed.push(target)
    else counted[kind]++
  }
  counted.fixed.sort()
  return counted
}

const LISTEN = '0A'

/** Returns the kind of each socket. The keys are the inodes. The local sockets connect the server with this bench. */
function socketKinds(pid: number, ports: Ports): Map<string, Kind> {
  const kinds = new Map<string, Kind>()
  for (const line of readFileSync(`/proc/${pid}/net/unix`, 'utf8').split('\n').slice(1)) {
    kinds.set(line.trim().split(/\s+/)[6] ?? '', 'fixed')
  }
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', state, , , , , , inode] = line.trim().split(/\s+/)
    if (inode === undefined) continue
    const [localPort, remotePort] = [local, remote].map((address) => Number.parseInt(address.split(':')[1] ?? '0', 16))
    if (state === LISTEN) kinds.set(inode, 'fixed')
    else if (ports.server.has(localPort!)) kinds.set(inode, 'clients')
    else if (remotePort === ports.database) kinds.set(inode, 'database')
    else if (ports.outgoing.has(remotePort!)) kinds.set(inode, 'outgoing')
  }
  return kinds
}
