/** Reads and writes demo.json: the simulated account, its followers and chats, and the host site's key, kept over a restart. NODE. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Account } from './simulator/account.ts'
import type { SimulatorMemory } from './simulator/simulator.ts'

export type SavedState = {
  /** The simulated Official Account. The openids in the store depend on its appid. */
  account: Account
  /** The host site's key for the encrypted API, base64url. */
  key: string
  simulator: SimulatorMemory
}

/** Undefined if the file is missing or not JSON: the demo then starts without a saved state. */
export function readSavedState(file: string): Partial<SavedState> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Writes a new file and renames it, so that the file is complete even if the demo is killed. */
export function writeSavedState(file: string, state: SavedState): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
