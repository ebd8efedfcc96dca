/** Adds the id by which receivers know an event. Released, so its SQL must not change. */
import type { AnyDb } from '../engine.ts'

/** Events of earlier versions have no such id: receivers know them as `evt_<id>`. */
export async function up(db: AnyDb): Promise<void> {
  await db.schema.alterTable('events').addColumn('uid', 'text').execute()
}
