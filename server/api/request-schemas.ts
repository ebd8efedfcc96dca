/** The shapes that come from outside, checked before anything looks at them. */
import { z } from 'zod'
import { BindError } from '../errors.ts'

// Control characters (C0, DEL, C1) have no place in an id; a lone surrogate has no bytes to compare.
const CONTROL = /[\p{Cc}]/u

const points = (text: string) => [...text].length

const opaque = (most: number) =>
  z
    .string()
    .refine((text) => points(text) >= 1 && points(text) <= most, `1 to ${most} characters`)
    .refine((text) => !CONTROL.test(text) && text.isWellFormed(), 'no control characters or broken surrogates')
    // JSON Schema counts code points too, where zod's own lengths count UTF-16.
    .meta({ minLength: 1, maxLength: most })

const id = opaque(128)
const label = opaque(64)

/** Unix seconds as an integer; milliseconds are a common slip, and far outside any window. */
const unixSeconds = z.int().nonnegative()

const common = {
  Account: id.describe('Who: with User_ID, opaque and compared byte for byte'),
  User_ID: id,
  Date: unixSeconds.describe("Unix seconds, within 300 s of the server's clock"),
  Path: z.string().optional().describe("The request's path; when present it must match"),
}

/** The plaintext of each call of the encrypted API. Other members are ignored. */
export const requestSchemas = {
  GetQrCode: z.object({
    ...common,
    Action: z.literal('Get'),
    IsRefresh: z.boolean().default(false).describe('Makes a new QR; the old one stops working'),
    Label: label.optional().describe('What the chat calls the account'),
  }),
  GetBindInfo: z.object({ ...common, Action: z.literal('Get') }),
  Disconnect: z.object({ ...common, Action: z.literal('Update') }),
}

/** What is looked at before the `jti` is spent. */
export const dateSchema = z.object({ Date: unixSeconds })

export const scopes = ['bind', 'unbind'] as const
export type Scope = (typeof scopes)[number]

// A token lives an hour at most, so that one that leaks is soon worthless.
const MAX_LIFE_SECONDS = 3600

export const tokenSchema = z
  .object({
    Account: id,
    User_ID: id,
    iat: unixSeconds,
    exp: unixSeconds,
    Label: label.optional(),
    scope: z.array(z.enum(scopes)).default([...scopes]),
  })
  .refine(({ iat, exp }) => exp > iat && exp - iat <= MAX_LIFE_SECONDS, 'exp must be at most 1 h after iat')

export type TokenClaims = z.infer<typeof tokenSchema>

export const qrcodeSchema = z.object({ refresh: z.boolean().default(false) })

export const confirmSchema = z.object({ code: z.string().regex(/^\d{4}$/, 'four digits') })

/** The value, or `BAD_REQUEST` that names each member at fault, never its content. */
export function parseShape<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const faults = error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`)
  throw new BindError('BAD_REQUEST', `Not accepted: ${faults.join('; ')}.`)
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BindError('BAD_REQUEST', 'Expected JSON, got something else.')
  }
}
