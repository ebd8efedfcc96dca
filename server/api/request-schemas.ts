/** Defines the schemas of the requests and of the widget token, and validates both. */
import { z } from 'zod'
import { BindError } from '../errors.ts'
import {
  ID_LENGTH,
  isValidLifetime,
  LABEL_LENGTH,
  LIFETIME_FAULT,
  type Scope,
  scopes,
  textFaults,
} from './claim-rules.ts'

export type { Scope }

const opaque = (max: number) =>
  z
    .string()
    .superRefine((text, context) => {
      for (const fault of textFaults(text, max)) context.addIssue(fault)
    })
    // JSON Schema counts code points, but zod's own length checks count UTF-16 units.
    .meta({ minLength: 1, maxLength: max })

const id = opaque(ID_LENGTH)
const label = opaque(LABEL_LENGTH)

/** Unix seconds. A value in milliseconds, a common mistake, is far outside every time window. */
const unixSeconds = z.int().nonnegative()

const common = {
  Account: id.describe('Identifies the user together with User_ID; opaque, compared byte for byte'),
  User_ID: id,
  Date: unixSeconds.describe("Unix seconds, at most 300 s from the server's clock"),
  Path: z
    .string()
    .optional()
    .describe('The path of the request. If present, it must be the path that the server receives'),
}

// Milliseconds are a common mistake. Read as seconds, they would be after the year 5000.
const moment = unixSeconds.max(99_999_999_999, 'must be Unix seconds, not milliseconds')

const limit = z.int().min(1).max(500).default(100)

// This limit is longer than any cursor of this server.
const cursor = z.string().min(1).max(256)

const user = { Account: common.Account, User_ID: common.User_ID }

const { Date: date, Path: path } = common

/** The plaintext of each call of the encrypted API. Unknown fields are ignored. */
export const requestSchemas = {
  GetQrCode: z.object({
    ...common,
    Action: z.literal('Get'),
    IsRefresh: z.boolean().default(false).describe('Makes a new QR code; the old one becomes invalid'),
    Label: label.optional().describe("The name that the chat shows for the user's account"),
  }),
  GetBindInfo: z.object({ ...common, Action: z.literal('Get') }),
  Disconnect: z.object({ ...common, Action: z.literal('Update') }),
  GetBindInfos: z.object({
    Users: z.array(z.object(user)).min(1).max(100).describe('The reply has one item for each user, in the same order'),
    Action: z.literal('Get'),
    Date: date,
    Path: path,
  }),
  ListBindings: z
    .object({
      Account: id.optional(),
      OpenId: id.optional(),
      UnionId: id.optional(),
      BoundSince: moment.optional().describe('Unix seconds, inclusive'),
      BoundUntil: moment.optional().describe('Unix seconds, exclusive'),
      Limit: limit,
      Cursor: cursor.optional().describe('NextCursor of the last reply'),
      Action: z.literal('Get'),
      Date: date,
      Path: path,
    })
    .refine(({ BoundSince = 0, BoundUntil }) => BoundUntil === undefined || BoundSince < BoundUntil, {
      path: ['BoundUntil'],
      message: 'must be later than BoundSince',
    }),
  GetEvents: z
    .object({
      After: cursor.optional().describe('Cursor of the last reply; default: the oldest stored event'),
      Account: id.optional().describe('With User_ID: only the events of this user'),
      User_ID: id.optional(),
      Limit: limit,
      Wait: z.int().min(0).max(25).default(0).describe('Seconds to wait for an event'),
      Action: z.literal('Get'),
      Date: date,
      Path: path,
    })
    .refine(({ Account, User_ID }) => (Account === undefined) === (User_ID === undefined), {
      path: ['User_ID'],
      message: 'must be given together with Account',
    }),
  EraseUser: z.object({ ...common, Action: z.literal('Update') }),
  ExportUser: z.object({ ...common, Action: z.literal('Get') }),
}

/** The fields that the server checks before it consumes the `jti`. */
export const dateSchema = z.object({ Date: unixSeconds })

export const tokenSchema = z
  .object({
    Account: id,
    User_ID: id,
    iat: unixSeconds,
    exp: unixSeconds,
    Label: label.optional(),
    scope: z.array(z.enum(scopes)).default([...scopes]),
  })
  .refine(isValidLifetime, LIFETIME_FAULT)

export type TokenClaims = z.infer<typeof tokenSchema>

export const qrcodeSchema = z.object({ refresh: z.boolean().default(false) })

export const oauthSchema = z.object({
  return: z
    .string()
    .min(1)
    .max(2048)
    .describe('The URL of the page to which the browser returns from WeChat. Its origin must be allowed'),
})

export const oauthConfirmSchema = z.object({
  proof: z.string().regex(/^[\w-]{43}$/, 'must be the value of wechat-bind in the fragment of the page'),
})

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
