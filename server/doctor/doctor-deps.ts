/** The functions by which the doctor reads the store and files on this machine. Node only. */
import { readKeyFile } from '../keys/key-file.ts'
import { fileAccess } from './file-access.ts'
import { countBindings, findReceiversOff, inspectStore } from './inspect-store.ts'
import type { DoctorDeps } from './run-checks.ts'

export const doctorDeps: Omit<DoctorDeps, 'fetch' | 'clock' | 'setTimer'> = {
  inspectStore,
  countBindings,
  findReceiversOff,
  readKeyFile,
  fileAccess,
}
