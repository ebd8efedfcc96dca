/** Async iterators over the lists of the encrypted API. An iterator requests a page only when the caller needs it. */
import type { WebhookPayload } from '../wire.ts'

/** The user of the request. Both ids are opaque and have 1 to 128 characters. */
export type Subject = { account: string; userId: string }

export const toIds = ({ account: Account, userId: User_ID }: Subject) => ({ Account, User_ID })

export type BindInfo = {
  IsBound: boolean
  OpenId: string | null
  UnionId: string | null
  AppId: string
  IsSubscribed: boolean
  /** Unix seconds. */
  BoundAt: number | null
  Version: number
}

/** A user and the user's binding, as an item of a list. */
export type BindItem = BindInfo & { Account: string; User_ID: string }

export type ListedBinding = BindItem & { Label: string | null }

export type BindingFilter = {
  account?: string
  openId?: string
  unionId?: string
  /** Unix seconds, inclusive. */
  boundSince?: number
  /** Unix seconds, exclusive. */
  boundUntil?: number
  /** Bindings per request, at most 500. */
  pageSize?: number
}

/**
 * A change of a binding. Pass its `cursor` as `after` to continue later. The last event of a reply carries the cursor of the
 * reply's end. The other events carry the cursor of the reply's start. So an iteration that continues may return an event again,
 * but skips none.
 */
export type BindingEvent = Omit<WebhookPayload, 'type'> & {
  type: Exclude<WebhookPayload['type'], 'webhook.test'>
  Id: string
  cursor: string | undefined
}

export type EventsOptions = {
  /** The `cursor` of the last event that you have processed. Default: the oldest stored event. */
  after?: string
  /** Only the events of this user. */
  user?: Subject
  /** Ends the iteration. */
  signal?: AbortSignal
  /** Seconds that a request waits for the next event, at most 25. With 0 the iteration ends at the last event. */
  wait?: number
}

/** `waitMs` is added to the usual timeout. */
export type RequestLimits = { signal?: AbortSignal | undefined; waitMs?: number }

type Call = (name: string, plaintext: object, limits?: RequestLimits) => Promise<unknown>

const MAX_PAGE = 500
const MAX_WAIT = 25

export async function* listBindings(call: Call, filter: BindingFilter = {}): AsyncGenerator<ListedBinding, void> {
  const { account: Account, openId: OpenId, unionId: UnionId, pageSize: Limit = MAX_PAGE } = filter
  const { boundSince: BoundSince, boundUntil: BoundUntil } = filter
  const fields = { Action: 'Get', Account, OpenId, UnionId, BoundSince, BoundUntil, Limit }
  let Cursor: string | undefined
  do {
    const page = (await call('ListBindings', { ...fields, Cursor })) as BindingsPage
    yield* page.Items
    Cursor = page.NextCursor ?? undefined
  } while (Cursor !== undefined)
}

type BindingsPage = { Items: ListedBinding[]; NextCursor: string | null }

type EventsPage = { Items: Omit<BindingEvent, 'cursor'>[]; Cursor: string; HasMore: boolean }

export async function* readEvents(call: Call, options: EventsOptions = {}): AsyncGenerator<BindingEvent, void> {
  const { user, signal, wait = MAX_WAIT } = options
  const fields = { Action: 'Get', ...(user && toIds(user)), Limit: MAX_PAGE, Wait: wait }
  let after = options.after
  while (!signal?.aborted) {
    const page = await readPage(call, { ...fields, After: after }, { signal, waitMs: wait * 1000 })
    if (!page) return
    for (const [i, item] of page.Items.entries()) {
      yield { ...item, cursor: i === page.Items.length - 1 ? page.Cursor : after }
    }
    after = page.Cursor
    if (wait === 0 && !page.HasMore) return
  }
}

/** Returns undefined if the caller has ended the iteration. */
async function readPage(call: Call, fields: object, limits: RequestLimits): Promise<EventsPage | undefined> {
  try {
    return (await call('GetEvents', fields, limits)) as EventsPage
  } catch (error) {
    if (limits.signal?.aborted) return undefined
    throw error
  }
}
