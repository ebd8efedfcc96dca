/** What the demo remembers between two starts, so that who was bound and follows still is and does. NODE. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Account } from './simulator/account.ts'
import type { SimulatorMemory } from './simulator/simulator.ts'

type Memory = {
  /** The simulated Official Account: its appid makes the openids that the store holds. */
  account: Account
  /** The host site's key for the encrypted API, base64url. */
  key: string
  simulator: SimulatorMemory
}

/** Undefined at the first start, and when the file is not the demo's: then it begins anew. */
export function readMemory(file: string): Partial<Memory> | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Written beside and moved into place: a demo killed at any moment finds a whole file. */
export function writeMemory(file: string, memory: Memory): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, JSON.stringify(memory), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
