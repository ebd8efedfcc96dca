import { accessSync, constants, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Returns the folder of npm's cache. Returns `instead` if npm cannot write to this folder, for example because the home
 * folder is read-only.
 */
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
