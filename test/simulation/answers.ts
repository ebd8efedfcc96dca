/** Compares the answers of the server with the answers of the model. */
import { differ } from './model/difference.ts'
import { FAILED, isLater, PARKED, PENDING } from './steps/exchange.ts'

/** Compares an answer with the answer of the model. */
export function answerFault(value: unknown, expected: unknown): string | undefined {
  if (value === FAILED) return undefined
  // The answer to a page that has waited is checked in `checkInvariants`, together with the other waiting pages.
  if (expected === PARKED && (value === PENDING || value === PARKED || 'version' in (value as object))) return undefined
  if (value === PENDING) return isLater(expected) ? undefined : 'the request has no answer'
  return differ('the answer', sorted(expected), sorted(withoutDigits(value)))
}

/** Returns the digits in the chat. */
export const digitsIn = (value: unknown) => (value as { reply?: { digits?: string } | null } | undefined)?.reply?.digits

function withoutDigits(value: unknown): unknown {
  const { reply, ...rest } = value as { reply?: { name: string; label: string | null } | string | null }
  return typeof reply === 'object' && reply ? { ...rest, reply: { name: reply.name, label: reply.label } } : value
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
