/** The model of an import. */

import { bindUser, closeOpen, know, unbindUser } from './changes.ts'
import type { Answer } from './page.ts'
import { ownersOf, type State, tenantOf, type UserKey, userOf } from './state.ts'

const SECOND = 1000

export type ImportLine = { key: UserKey; openid: string; label: string | null }

/** Imports all lines of a batch in order, in one transaction. */
export function* importLines(
  m: State,
  lines: ImportLine[],
  conflict: 'reject' | 'skip' | 'replace' | 'allow',
): Generator<void, Answer> {
  yield
  const outcomes = lines.map((line) => importLine(m, line, conflict))
  return { outcomes }
}

function importLine(m: State, { key, openid, label }: ImportLine, conflict: string): string {
  const { bound, isKnown } = userOf(m, key)
  if (bound?.openid === openid) return 'already'
  const owners = ownersOf(m, openid).filter((owner) => owner.key !== key && tenantOf(owner.key) === tenantOf(key))
  const others = conflict === 'allow' ? [] : owners
  if (conflict !== 'replace' && bound) return 'user-bound'
  if (conflict !== 'replace' && others.length > 0) return 'openid-taken'
  for (const other of others) unbindUser(m, other.key, 'replaced')
  if (bound) unbindUser(m, key, 'replaced')
  if (isKnown) closeOpen(m, key)
  know(m, key)
  const time = Math.floor(m.now / SECOND)
  bindUser(m, key, { openid, unionid: null, subscribed: true, boundAt: m.now, time, label }, 'import')
  return bound || others.length > 0 ? 'replaced' : 'bound'
}
