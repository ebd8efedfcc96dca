/** The CPU time and the memory of a process and its children, which have one thread each, from /proc. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'

// `stat` counts in hundredths of a second (USER_HZ). `schedstat` counts in ns, but only the first thread of a process.
// PostgreSQL's processes have one thread each.
const TICK_US = 10_000

type Stat = { parent: number; ownUs: number; endedChildrenUs: number }

/** The name of the program is in brackets and may contain spaces. */
function statOf(pid: number | string): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number)
    const [endedUser, endedSystem] = fields.slice(13, 15) as [number, number]
    return {
      parent: fields[1]!,
      ownUs: Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000,
      endedChildrenUs: (endedUser + endedSystem) * TICK_US,
    }
  } catch {
    // The process has ended.
    return undefined
  }
}

/** The id of the process that starts PostgreSQL's other processes. */
export async function findPostmaster(url: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const stat = statOf(rows[0]!.pid)
    if (!stat)
      throw new Error('PostgreSQL is not in /proc: this benchmark needs Linux, and PostgreSQL on the same machine')
    return stat.parent
  } finally {
    await client.end()
  }
}

const childrenOf = (pid: number): { name: string; stat: Stat }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => ({ name, stat: statOf(name) }))
    .filter((each): each is { name: string; stat: Stat } => each.stat?.parent === pid)

/** User and system time of the process and of all children that it has had, in us. */
export function cpuUsWithChildren(pid: number): number {
  const { ownUs = 0, endedChildrenUs = 0 } = statOf(pid) ?? {}
  return childrenOf(pid).reduce((sum, { stat }) => sum + stat.ownUs, ownUs + endedChildrenUs)
}

/** The memory of the children in bytes. A page that several processes share is divided among them. */
export function memoryOfChildren(pid: number): number {
  return childrenOf(pid).reduce((sum, { name }) => sum + proportionalSize(name), 0)
}

function proportionalSize(pid: string): number {
  try {
    return 1024 * Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
  } catch {
    // The process has ended.
    return 0
  }
}
