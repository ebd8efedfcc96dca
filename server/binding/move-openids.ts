/** Replaces the openids of an old Official Account with those of the new one, after an account's migration (账号迁移). */

import type { BatchSize } from '../store/batch-size.ts'
import type { BoundUser } from '../store/binding-walk.ts'
import type { Plan } from '../store/plan.ts'
import type { AccountOpenid, Store, Tx } from '../store/store.ts'

export type OpenidMove = { bound: BoundUser; to: AccountOpenid }

/**
 * `taken`: the new openid is bound to another user of the tenant. `changed`: the binding of the user has changed since the openid
 * was read.
 */
export type MoveOutcome = 'moved' | 'taken' | 'changed'

type MoveSettings = { allowsMany: boolean; isDryRun: boolean }

/** Runs in one transaction for each batch. The outcomes have the order of the moves. Can be repeated. */
export async function moveOpenids(
  { store, clock }: { store: Store; clock: () => number },
  moves: OpenidMove[],
  settings: MoveSettings,
  batch: BatchSize,
): Promise<MoveOutcome[]> {
  const at = clock()
  const outcomes: MoveOutcome[] = []
  while (outcomes.length < moves.length) {
    const next = moves.slice(outcomes.length, outcomes.length + batch.present())
    outcomes.push(...(await store.write((tx) => decideAndMove(tx, next, settings, at), { onTook: batch.note })))
  }
  return outcomes
}

const fromOf = ({ bound: { binding } }: OpenidMove): AccountOpenid => ({
  appId: binding.appId,
  openid: binding.openid,
})

function* decideAndMove(tx: Tx, moves: OpenidMove[], settings: MoveSettings, at: number): Plan<MoveOutcome[]> {
  const owners = yield* tx.ownersOfAll(moves.flatMap((move) => [fromOf(move), move.to]))
  const present = new Map(owners.map((user) => [user.id, user.binding]))
  const isTaken = ({ bound: { id, identity }, to }: OpenidMove) =>
    !settings.allowsMany &&
    owners.some(
      (owner) =>
        owner.id !== id &&
        owner.identity.tenant === identity.tenant &&
        owner.binding?.appId === to.appId &&
        owner.binding.openid === to.openid,
    )
  const outcomes: MoveOutcome[] = []
  for (const move of moves) {
    const from = fromOf(move)
    const binding = present.get(move.bound.id)
    if (binding?.appId !== from.appId || binding.openid !== from.openid) outcomes.push('changed')
    else if (isTaken(move)) outcomes.push('taken')
    else {
      outcomes.push('moved')
      if (!settings.isDryRun) yield* tx.apply({ type: 'moveOpenid', user: move.bound.id, from, to: move.to, at })
    }
  }
  return outcomes
}
