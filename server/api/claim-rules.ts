/** The rules for ids, labels and the lifetime of a token. The schemas and the client use these rules, because the client must not import zod. */

// Control characters (C0, DEL, C1), and lone surrogates, which cannot be encoded as UTF-8.
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u
const CHARACTERS_FAULT = 'must contain no control characters and no lone surrogates'

export const ID_LENGTH = 128
export const LABEL_LENGTH = 64

/** Returns the fault of an id or a label of at most `max` characters. Counts code points, as JSON Schema does. */
export function textFaults(text: string, max: number): string[] {
  const { length } = [...text]
  const faults = length >= 1 && length <= max ? [] : [`must have 1 to ${max} characters`]
  return FORBIDDEN.test(text) ? [...faults, CHARACTERS_FAULT] : faults
}

export const scopes = ['bind', 'unbind'] as const
export type Scope = (typeof scopes)[number]

// The lifetime is at most one hour, because a leaked token can be used until it expires.
const MAX_TTL_SECONDS = 3600

export const LIFETIME_FAULT = 'exp must be later than iat, and at most 1 h after iat'

export const isValidLifetime = ({ iat, exp }: { iat: number; exp: number }): boolean =>
  exp > iat && exp - iat <= MAX_TTL_SECONDS
