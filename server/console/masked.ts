/** Masks ids of WeChat. Pure. */
import type { Role } from './wire.ts'

const SHOWN = 4

/** For example `oAbc…9xYz`. An id that is too short for this form is hidden completely. A viewer gets no part of an id. */
export function masked(id: string | null, role: Role): string | null {
  if (id === null || role === 'viewer') return null
  return id.length < SHOWN * 4 ? '…' : `${id.slice(0, SHOWN)}…${id.slice(-SHOWN)}`
}
