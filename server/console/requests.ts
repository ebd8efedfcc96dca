/** Reads the bodies that the console's page sends. */
import type { Context } from 'hono'
import { z } from 'zod'
import { BindError } from '../errors.ts'
import { readLimited } from '../http/body-limit.ts'
import type { Identity } from '../store/store.ts'

// This limit is longer than any valid body, which has three ids of 128 characters, escaped.
const MAX_BODY = 8 * 1024

const id = z.string().min(1).max(512)

const receiver = z.string().min(1).max(128)

export const bodies = {
  signIn: z.object({ token: z.string().max(1024) }),
  userName: z.object({ tenant: id, account: id, userId: id }),
  userSearch: z.object({
    q: z.string().max(512),
    tenant: id.optional(),
    cursor: z.string().min(1).max(2048).optional(),
    limit: z.int().min(1).max(100).default(50),
  }),
  noticeChoice: z.object({ id: z.int().positive().optional(), receiver: receiver.optional() }),
  receiverChoice: z.object({ receiver }),
  nothing: z.unknown(),
}

/** Throws `BAD_REQUEST` with the name of the wrong member, without its value. A form cannot send `application/json`. */
export async function readJson<T extends z.ZodType>(c: Context, schema: T): Promise<z.output<T>> {
  if (!/^application\/json\b/i.test(c.req.header('Content-Type') ?? '')) {
    throw new BindError('BAD_REQUEST', 'The body must be JSON, with the Content-Type application/json.')
  }
  const parsed = schema.safeParse(parseJson(new TextDecoder().decode(await readLimited(c.req, MAX_BODY))))
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') || 'body'
  throw new BindError('BAD_REQUEST', `The member "${where}" of the request is missing or malformed: correct it.`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BindError('BAD_REQUEST', 'The body is not valid JSON.')
  }
}

export const toIdentity = ({ tenant, account, userId }: z.output<typeof bodies.userName>): Identity => ({
  tenant,
  account,
  userId,
})
