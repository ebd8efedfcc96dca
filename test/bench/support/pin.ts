/** Pins processes to cores: the server to one core, the load generator to another. */
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

const hasTaskset = spawnSync('taskset', ['--version']).status === 0

export const isPinned = hasTaskset && cpus().length > 1

export const CORES = { server: 0, load: 1 }

/** Options of `fork` that pin a child to this core; none if the machine cannot pin. */
export const pinned = (core: number): { execPath?: string; execArgv?: string[] } =>
  isPinned ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] } : {}
