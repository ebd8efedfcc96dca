/** The parts of an operation that both APIs share: its summary, its bodies and its error responses. */
import { type Bilingual, type ErrorCode, errorCodes } from '../../errors.ts'
import { type Json, ref } from './json-schema.ts'

/** A JWE is a string; `contentSchema` (JSON Schema 2020-12) describes its plaintext. */
export const sealed = (contentSchema: Json): Json => ({
  'application/jose': {
    schema: { type: 'string', contentMediaType: 'application/json', contentSchema },
  },
})

export const json = (schema: Json): Json => ({ 'application/json': { schema } })

/** OpenAPI has one summary. The Chinese summary is an extension (`x-`). */
export const inBoth = ({ en, zh }: Bilingual): Json => ({ summary: en, 'x-summary-zh': zh })

/** Codes with the same status share one response. */
export function refusals(codes: ErrorCode[], content: (codes: ErrorCode[]) => Json): Json {
  const byStatus = Map.groupBy(codes, (code) => String(errorCodes[code].status))
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      { description: group.map((code) => `${code}: ${errorCodes[code].title}`).join('. '), content: content(group) },
    ]),
  )
}

export const problem = (codes: ErrorCode[]): Json => ({
  'application/problem+json': { schema: { allOf: [ref('Problem'), { properties: { code: { enum: codes } } }] } },
})
