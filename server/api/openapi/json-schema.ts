/** Short forms of the JSON Schema (2020-12) that the OpenAPI document contains. */
import { z } from 'zod'

export type Json = Record<string, unknown>

export const toSchema = (schema: z.ZodType): Json => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' })
  return rest
}

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

export const object = (properties: Json, optional: string[] = []): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

export const text: Json = { type: 'string' }
export const integer: Json = { type: 'integer' }
export const unixSeconds: Json = { type: 'integer', description: 'Unix seconds' }
export const orNull = ({ type, ...rest }: Json): Json => ({ ...rest, type: [type, 'null'] })

export const listOf = (items: Json): Json => ({ type: 'array', items })
