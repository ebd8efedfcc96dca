/** Binds processes to cores: the server to one core, and the load generator to another core. */
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

const hasTaskset = spawnSync('taskset', ['--version']).status === 0

export const isPinned = hasTaskset && cpus().length > 1

export const CORES = { server: 0, load: 1 }

/**
 * Returns the options of `fork` that bind a child process to this core. Returns no options if the machine does not
 * support this.
 */
export const pinned = (core: number): { execPath?: string; execArgv?: string[] } =>
  isPinned ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] } : {}
