/**
 * Adds what lists of bindings, the feed of events and erasures need: columns with the tenant and the account, indexes, and the
 * positions of the feed. Released, so its SQL must not change.
 */
import { sql } from 'kysely'
import type { AnyDb } from '../engine.ts'

export async function up(db: AnyDb): Promise<void> {
  await sql`alter table users add column ticket_epoch integer not null default 0`.execute(db)
  await sql`alter table users add column erased integer not null default 0`.execute(db)

  await sql`alter table bindings add column account text not null default ''`.execute(db)
  await sql`update bindings set account = (select account from users where users.id = bindings."user")`.execute(db)
  await sql`create index bindings_tenant on bindings (tenant, bound_at, "user")`.execute(db)
  await sql`create index bindings_account on bindings (tenant, account, bound_at, "user")`.execute(db)
  await sql`create index bindings_by_unionid on bindings (unionid) where unionid is not null`.execute(db)

  await sql`alter table events add column tenant text not null default ''`.execute(db)
  await sql`alter table events add column position bigint`.execute(db)
  await sql`alter table events add column erased integer not null default 0`.execute(db)
  await sql`update events set tenant = coalesce((select tenant from users where users.id = events."user"), '')`.execute(
    db,
  )
  await sql`create index events_user on events ("user", id)`.execute(db)
  await sql`create index events_unpublished on events (tenant, id) where position is null`.execute(db)
  await sql`create index events_feed on events (tenant, position) where position is not null`.execute(db)
  await sql`create index events_erased on events (id) where erased = 1`.execute(db)
  await sql`create table feed_heads (tenant text primary key not null, position bigint not null, lost bigint not null)`.execute(
    db,
  )

  await sql`alter table deliveries add column "user" bigint`.execute(db)
  await sql`create index deliveries_user on deliveries ("user") where "user" is not null`.execute(db)
}
