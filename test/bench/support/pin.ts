/** Which process runs on which core: the server on one, what loads it on another. */
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'

const hasTaskset = spawnSync('taskset', ['--version']).status === 0

export const isPinned = hasTaskset && cpus().length > 1

export const CORES = { server: 0, load: 1 }

/** How `fork` starts a child on this core; where that cannot be, on any. */
export const pinned = (core: number): { execPath?: string; execArgv?: string[] } =>
  isPinned ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath] } : {}
