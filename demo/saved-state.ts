/**
 * The file in which the demo saves its state. After a restart, bound users are still bound, and followers still follow
 * the account. Node only.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Account } from './simulator/account.ts'
import type { SimulatorMemory } from './simulator/simulator.ts'

type SavedState = {
  /** The simulated Official Account. It is kept because the openids in the store depend on its appid. */
  account: Account
  /** The secret part of the demo's path, used with a real WeChat account. */
  pathSecret: string
  /** The host site's key for the encrypted API, base64url. */
  key: string
  simulator: SimulatorMemory
}

/** Reads the file. Returns undefined if the file is missing or is not JSON. The demo then starts with a new state. */
export function readSavedState(file: string): Partial<SavedState> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Writes a second file and renames it, so that a killed demo never leaves a partial file. */
export function writeSavedState(file: string, state: SavedState): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
