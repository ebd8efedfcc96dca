/** Samples of the soaked server from outside, by `/proc`: memory, descriptors, sizes of files, rows. Linux only. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { query } from '../../support/postgres.ts'
import type { Rows } from './rows.ts'
import type { Soaked } from './server.ts'

export type Sample = {
  /** Seconds since the start. */
  at: number
  /** Memory of the process without mapped files, and with them. In bytes, like all sizes. */
  memory: number
  rss: number
  /** Memory in use after a garbage collection; absent in most samples. */
  heap?: number
  descriptors: Descriptors
  database: number
  /** The write-ahead log of the database. */
  wal: number
  log: number
  /** Callbacks that the bench has sent so far. */
  callbacks: number
  rows: Record<string, number>
}

/** `fixed` are files, pipes, listening sockets and the like, in order. The others come and go with requests. */
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

/** A descriptor that is closed while it is read is not counted. */
function descriptorsOf(pid: number, ports: Ports): Descriptors {
  const folder = `/proc/${pid}/fd`
  const targets = readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      return []
    }
  })
  // Read after the descriptors, so that a connection that was accepted in between is found.
  const kinds = socketKinds(pid, ports)
  const counted: Descriptors = { fixed: [], clients: 0, outgoing: 0, database: 0 }
  for (const target of targets) {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    // A socket that is not in the tables is being opened or closed.
    const kind = inode === undefined ? 'fixed' : (kinds.get(inode) ?? 'outgoing')
    if (kind === 'fixed') counted.fixed.push(target)
    else counted[kind]++
  }
  counted.fixed.sort()
  return counted
}

const LISTEN = '0A'

/** The kind of each socket by its inode. The local sockets are the channel to this bench. */
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
