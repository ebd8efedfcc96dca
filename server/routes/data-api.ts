/** The encrypted API for back ends: the calls about many bindings, the events, and the calls to erase and to export a user. */
import { parseShape, requestSchemas } from '../api/request-schemas.ts'
import { eraseUser } from '../binding/erase.ts'
import { refuseTestUser } from '../binding/test-users.ts'
import { toUserExport } from '../binding/user-export.ts'
import { toBindInfo } from '../binding/view.ts'
import { feedReaders, type Waiter } from '../binding/waiters.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import type { ApiHandler, EncryptedEndpoint, LaterData } from '../http/encrypted-endpoint.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { toPayload } from '../outbound/webhook-payload.ts'
import { type BoundUser, positionOf } from '../store/binding-walk.ts'
import type { FeedPage, FeedQuery } from '../store/event-feed.ts'
import { identityKey, toIdentity } from '../store/identity.ts'
import type { Identity } from '../store/store.ts'

// The longest valid request is 160 KiB: 200 texts of 128 characters, escaped, in base64url.
const MAX_BODY = 256 * 1024

export function dataApiEndpoints(deps: Deps, endpoint: EncryptedEndpoint): Endpoint[] {
  const { store, waiters, cursors, clock, events } = deps

  const getBindInfos: ApiHandler = async ({ tenant, plaintext }) => {
    const { Users } = parseShape(requestSchemas.GetBindInfos, plaintext)
    if (!deps.allowsTestUsers) for (const { User_ID } of Users) refuseTestUser(User_ID)
    const users = await store.users(Users.map((ids) => toIdentity(tenant, ids)))
    return { Items: users.map((user) => ({ ...toIds(user.identity), ...toBindInfo(user, events.appId) })) }
  }

  const listBindings: ApiHandler = async ({ tenant, plaintext }) => {
    const fields = parseShape(requestSchemas.ListBindings, plaintext)
    const after = cursors.open<[boundAt: number, user: number]>(['ListBindings', tenant], fields.Cursor)
    const filter = {
      tenant,
      account: fields.Account,
      openid: fields.OpenId,
      unionid: fields.UnionId,
      boundSince: toMs(fields.BoundSince),
      boundUntil: toMs(fields.BoundUntil),
    }
    const position = after && { tenant, boundAt: after[0], user: after[1] }
    // Reads one item more than the page shows, to know whether there is another page.
    const found = await store.listBindings(filter, position, fields.Limit + 1)
    const shown = found.slice(0, fields.Limit)
    const last = found.length > shown.length ? shown.at(-1) : undefined
    const { boundAt, user } = last ? positionOf(last) : { boundAt: 0, user: 0 }
    return {
      Items: shown.map((each) => toItem(each, events.appId)),
      NextCursor: last ? cursors.seal(['ListBindings', tenant], [boundAt, user]) : null,
    }
  }

  const getEvents: ApiHandler = async ({ tenant, plaintext }) => {
    const { After, Limit, Wait, Account, User_ID } = parseShape(requestSchemas.GetEvents, plaintext)
    const user = Account === undefined || User_ID === undefined ? undefined : toIdentity(tenant, { Account, User_ID })
    const scope = ['GetEvents', tenant, user ? identityKey(user) : '']
    const after = cursors.open<[position: number, uid: string | null]>(scope, After)
    const query: FeedQuery = {
      tenant,
      user,
      after: after && { position: after[0], uid: after[1] },
      limit: Limit,
    }
    const toData = ({ events, next, hasMore }: FeedPage) => ({
      Items: events.map((event) => ({ Id: event.uid, ...toPayload(event) })),
      Cursor: cursors.seal(scope, [next.position, next.uid]),
      HasMore: hasMore,
    })
    if (Wait === 0) return toData(await readEvents(query))
    // The waiter is parked before the read, so that a commit after the read ends the wait.
    const until = clock() + Wait * 1000
    const waiter = park(query, until)
    const page = await readEvents(query).catch((error) => {
      waiters.leave(waiter)
      throw error
    })
    if (page.events.length > 0) {
      waiters.leave(waiter)
      return toData(page)
    }
    return waitForEvents(query, waiter, until, page, toData)
  }

  const park = ({ tenant, user }: FeedQuery, until: number) =>
    waiters.park(user ?? feedReaders(tenant), -1, Math.max(0, until - clock()))

  async function readEvents(query: FeedQuery): Promise<FeedPage> {
    const page = await store.events(query)
    if (page !== 'gone') return page
    throw new BindError(
      'EVENTS_GONE',
      'Events after this cursor have expired: list the bindings again (ListBindings), and read the events without After.',
    )
  }

  /** Many commits add no event for this reader. The wait then continues for the rest of its time. */
  function waitForEvents(
    query: FeedQuery,
    first: Waiter,
    until: number,
    empty: FeedPage,
    toData: (page: FeedPage) => object,
  ): LaterData {
    let waiter = first
    const nextPage = async (): Promise<FeedPage> => {
      for (;;) {
        const ending = await new Promise((resolve) => waiters.onEnd(waiter, resolve))
        if (ending === 'timeout') return empty
        waiter = park(query, until)
        const page = await readEvents(query).catch((error) => {
          waiters.leave(waiter)
          throw error
        })
        if (page.events.length === 0) continue
        waiters.leave(waiter)
        return page
      }
    }
    return {
      start(client) {
        client.onHangUp(() => waiters.leave(waiter))
        client.send(nextPage().then(toData))
      },
    }
  }

  const erase: ApiHandler = async ({ tenant, plaintext }) => {
    await eraseUser(deps, toIdentity(tenant, parseShape(requestSchemas.EraseUser, plaintext)))
    return { Erased: true }
  }

  const exportUser: ApiHandler = async ({ tenant, plaintext }) => {
    const identity = toIdentity(tenant, parseShape(requestSchemas.ExportUser, plaintext))
    const record = await store.userRecord(identity)
    // The version is read after the record, because an erasure between the two reads raises the version.
    return toUserExport(record?.user ?? (await store.user(identity)), record)
  }

  return [
    endpoint('GetBindInfos', MAX_BODY, getBindInfos),
    endpoint('ListBindings', MAX_BODY, listBindings),
    endpoint('GetEvents', MAX_BODY, getEvents),
    endpoint('EraseUser', MAX_BODY, erase),
    endpoint('ExportUser', MAX_BODY, exportUser),
  ]
}

const toMs = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000)

const toIds = ({ account, userId }: Identity) => ({ Account: account, User_ID: userId })

const toItem = (user: BoundUser, appId: string) => ({
  ...toIds(user.identity),
  ...toBindInfo(user, appId),
  Label: user.binding.label,
})
