/** Defines the schemas of the requests and of the widget token, and validates both. */
import { z } from 'zod'
import { BindError } from '../errors.ts'

// Ids contain no control characters (C0, DEL, C1). Lone surrogates are refused, because they cannot be encoded as UTF-8.
const CONTROL = /[\p{Cc}]/u

const codePoints = (text: string) => [...text].length

const opaque = (max: number) =>
  z
    .string()
    .refine((text) => codePoints(text) >= 1 && codePoints(text) <= max, `must have 1 to ${max} characters`)
    .refine(
      (text) => !CONTROL.test(text) && text.isWellFormed(),
      'must contain no control characters and no lone surrogates',
    )
    // JSON Schema counts code points, but zod's own length checks count UTF-16 units.
    .meta({ minLength: 1, maxLength: max })

const id = opaque(128)
const label = opaque(64)

/** Unix seconds. Milliseconds, which are a common mistake, are far outside every time window. */
const unixSeconds = z.int().nonnegative()

const common = {
  Account: id.describe('Identifies the user together with User_ID; opaque, compared byte for byte'),
  User_ID: id,
  Date: unixSeconds.describe("Unix seconds, at most 300 s from the server's clock"),
  Path: z.string().optional().describe("The request's path; if present it must match"),
}

/** The plaintext of each call of the encrypted API. Unknown fields are ignored. */
export const requestSchemas = {
  GetQrCode: z.object({
    ...common,
    Action: z.literal('Get'),
    IsRefresh: z.boolean().default(false).describe('Makes a new QR code; the old one becomes invalid'),
    Label: label.optional().describe('The name of the account in the chat'),
  }),
  GetBindInfo: z.object({ ...common, Action: z.literal('Get') }),
  Disconnect: z.object({ ...common, Action: z.literal('Update') }),
}

/** Checked before the `jti` is consumed. */
export const dateSchema = z.object({ Date: unixSeconds })

const scopes = ['bind', 'unbind'] as const
export type Scope = (typeof scopes)[number]

// One hour limits the use of a leaked token.
const MAX_TTL_SECONDS = 3600

export const tokenSchema = z
  .object({
    Account: id,
    User_ID: id,
    iat: unixSeconds,
    exp: unixSeconds,
    Label: label.optional(),
    scope: z.array(z.enum(scopes)).default([...scopes]),
  })
  .refine(
    ({ iat, exp }) => exp > iat && exp - iat <= MAX_TTL_SECONDS,
    'exp must be at most 1 h after iat, and later than iat',
  )

export type TokenClaims = z.infer<typeof tokenSchema>

export const qrcodeSchema = z.object({ refresh: z.boolean().default(false) })

export const confirmSchema = z.object({ code: z.string().regex(/^\d{4}$/, 'must be four digits') })

/** Returns the parsed value, or throws `BAD_REQUEST`. The error names each faulty field without its content. */
export function parseShape<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
  throw new BindError('BAD_REQUEST', `Invalid input: ${faults.join('; ')}.`)
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BindError('BAD_REQUEST', 'Expected JSON: the text cannot be parsed.')
  }
}
