import { accessSync, constants, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The folder of npm's cache, or `instead` if npm cannot write to its own folder, e.g. in a read-only home. */
export function npmCacheOr(instead: string): string {
  const folder = process.env.npm_config_cache ?? join(homedir(), '.npm')
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return folder
  } catch {
    return instead
  }
}
