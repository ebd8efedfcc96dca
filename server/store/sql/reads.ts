/** The reads that need no unit of work. */
import { sql } from 'kysely'
import { identityKey } from '../identity.ts'
import type { Plan } from '../plan.ts'
import type { Identity, Store, User, UserVersion } from '../store.ts'
import { listBindings } from './binding-list.ts'
import { runQuery } from './compiled-query.ts'
import type { AsStoreError } from './engine-errors.ts'
import { Erasure } from './erasure.ts'
import type { Queries } from './queries.ts'
import { toTicketWithQr, toUsers, unknownUser } from './rows.ts'
import type { Db, TxSettings } from './tx-settings.ts'
import { selectUsers, type UserRow } from './user-queries.ts'
import { createUserRecords } from './user-records.ts'

const FEW = 10
const MANY = 100

/** Reads the whole index of openids, 0.1 s for a million bindings. Called only at the start and by the doctor. */
export async function countOtherBindings(db: Db, appId: string): Promise<number> {
  const { others } = await db
    .selectFrom('bindings')
    .where('app_id', '!=', appId)
    .select(({ fn }) => fn.countAll<number>().as('others'))
    .executeTakeFirstOrThrow()
  return Number(others)
}

export function createReads(
  db: Db,
  queries: Queries,
  read: <T>(plan: Plan<T>) => Promise<T>,
  readSnapshot: <T>(plan: Plan<T>) => Promise<T>,
  asStoreError: AsStoreError,
  settings: TxSettings,
): Pick<
  Store,
  'user' | 'userVersion' | 'users' | 'userRecord' | 'listBindings' | 'liveTicket' | 'countOtherBindings' | 'ping'
> {
  const erasure = new Erasure(queries, settings)
  const userRecord = createUserRecords(db)

  function* user(identity: Identity): Plan<User> {
    const { rows } = yield* queries.userByIdentity(identity)
    return toUsers(rows)[0] ?? unknownUser(identity, yield* erasure.floorOf(identity))
  }

  function* userVersion(identity: Identity): Plan<UserVersion> {
    const [row] = (yield* queries.userVersion(identity)).rows
    if (!row) return { version: yield* erasure.floorOf(identity), isScanned: false }
    return { version: row.version, isScanned: row.scanned_id !== null }
  }

  function* users(identities: Identity[]): Plan<User[]> {
    // The number of values is fixed, because every connection to PostgreSQL prepares one statement for each number.
    const size = identities.length <= FEW ? FEW : MANY
    const names = Array.from({ length: size }, (_, i) => identities[Math.min(i, identities.length - 1)]!)
    const tuples = names.map(({ tenant, account, userId }) => sql`(${tenant}, ${account}, ${userId})`)
    const found = toUsers(
      yield* runQuery<UserRow>(
        db,
        selectUsers(db).where(
          sql<boolean>`(users.tenant, users.account, users.user_id) in (values ${sql.join(tuples)})`,
        ),
      ),
    )
    const byKey = new Map(found.map((each) => [identityKey(each.identity), each]))
    const inOrder: User[] = []
    for (const identity of identities) inOrder.push(byKey.get(identityKey(identity)) ?? (yield* user(identity)))
    return inOrder
  }

  async function liveTicket({ tenant, account, userId }: Identity, now: number) {
    const row = await db
      .selectFrom('tickets')
      .innerJoin('users', 'users.id', 'tickets.user')
      .where('users.tenant', '=', tenant)
      .where('users.account', '=', account)
      .where('users.user_id', '=', userId)
      .selectAll('tickets')
      .where('tickets.state', '=', 'pending')
      .where('tickets.expires_at', '>', now)
      .orderBy('tickets.created_at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && toTicketWithQr(row)
  }

  return {
    user: (identity) => asStoreError(read(user(identity))),
    userVersion: (identity) => asStoreError(read(userVersion(identity))),
    users: (identities) => asStoreError(read(users(identities))),
    userRecord: (identity) => asStoreError(readSnapshot(userRecord(identity))),
    listBindings: (...page) => asStoreError(read(listBindings(db, ...page))),
    liveTicket: (identity, now) => asStoreError(liveTicket(identity, now)),
    countOtherBindings: (appId) => asStoreError(countOtherBindings(db, appId)),
    async ping() {
      await asStoreError(sql`select 1`.execute(db))
    },
  }
}
