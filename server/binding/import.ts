/** Binds users to openids that an operator has, in batches. Each batch is one transaction. */
import { identityKey } from '../store/identity.ts'
import type { Plan } from '../store/plan.ts'
import type { Binding, Identity, NewBinding, Store, Tx, User, WriteOptions } from '../store/store.ts'

export type ImportConflict = 'reject' | 'skip' | 'replace' | 'allow'

/**
 * The outcome of a line. `already`: the same binding exists. `user-bound`: the user is bound to another WeChat account.
 * `openid-taken`: the WeChat account is bound to another user of the tenant.
 */
export type ImportOutcome = 'bound' | 'replaced' | 'already' | 'user-bound' | 'openid-taken'

type ImportDeps = { store: Store; clock: () => number }

/** A user whose binding a dry run plans to change. `binding` is undefined if the plan removes it. */
export type PlannedBinding = { identity: Identity; binding: Pick<Binding, 'appId' | 'openid'> | undefined }

/** The changes that the earlier batches of a dry run have planned. */
export type PlannedBindings = {
  /** Returns the planned changes of these users, and the planned bindings of these openids to other users. */
  find(identities: Identity[], lines: NewBinding[]): PlannedBinding[]
  /** Replaces earlier changes of the same users. */
  save(changes: PlannedBinding[]): void
}

/** With `planned` the batch is a dry run: it only decides, and changes nothing in the store. */
type ImportSettings = {
  conflict: ImportConflict
  planned: PlannedBindings | undefined
  onTook?: WriteOptions['onTook']
}

/** The outcomes have the order of the lines. A batch can be repeated. */
export async function importBatch(
  { store, clock }: ImportDeps,
  lines: NewBinding[],
  settings: ImportSettings,
): Promise<ImportOutcome[]> {
  const now = clock()
  const { onTook } = settings
  const { outcomes, changes } = await store.write((tx) => decideAndBind(tx, lines, settings, now), { onTook })
  settings.planned?.save(changes)
  return outcomes
}

type Decided = { outcomes: ImportOutcome[]; changes: PlannedBinding[] }

function* decideAndBind(tx: Tx, lines: NewBinding[], settings: ImportSettings, now: number): Plan<Decided> {
  const owners = yield* tx.ownersOfAll(lines.map(({ binding: { appId, openid } }) => ({ appId, openid })))
  const users = [...owners, ...(yield* tx.usersOf(lines.map(({ identity }) => identity)))]
  const facts = createFacts(users)
  const { conflict, planned } = settings
  if (planned)
    facts.change(
      planned.find(
        [...users, ...lines].map(({ identity }) => identity),
        lines,
      ),
    )
  const outcomes: ImportOutcome[] = []
  const changes: PlannedBinding[] = []
  let fresh: NewBinding[] = []

  function* bindFresh(): Plan<void> {
    yield* tx.bindAll(fresh, 'import', now)
    fresh = []
  }

  for (const line of lines) {
    const { outcome, ending } = decideImport(facts, line, conflict)
    outcomes.push(outcome)
    if (outcome !== 'bound' && outcome !== 'replaced') continue
    if (!planned) {
      // The binding to remove may come from an earlier line of this batch, which is not written yet.
      if (ending.length > 0) yield* bindFresh()
      for (const identity of ending) {
        const { id } = yield* tx.userOf(identity)
        yield* tx.apply({ type: 'unbind', user: id, reason: 'replaced', at: now })
      }
      const id = facts.idOf(line.identity)
      // The QR code on the user's page must not bind another WeChat account after the import.
      if (id !== 0) yield* tx.apply({ type: 'closeTickets', user: id, bumpsVersion: false })
      fresh.push(line)
    }
    const changed = [...ending.map((identity) => ({ identity, binding: undefined })), line]
    facts.change(changed)
    changes.push(...changed)
  }
  yield* bindFresh()
  return { outcomes, changes }
}

type Bound = PlannedBinding & { binding: object }

type Facts = ReturnType<typeof createFacts>

/** The bindings of users and openids, including those that earlier lines have changed. */
function createFacts(users: User[]) {
  const ids = new Map<string, number>()
  const bindings = new Map<string, Bound>()
  const owners = new Map<string, Map<string, Identity>>()

  const ownersOf = ({ identity: { tenant }, binding: { appId, openid } }: Bound) => {
    const key = JSON.stringify([tenant, appId, openid])
    const found = owners.get(key) ?? new Map<string, Identity>()
    owners.set(key, found)
    return found
  }

  function change({ identity, binding }: PlannedBinding): void {
    const key = identityKey(identity)
    const before = bindings.get(key)
    if (before) ownersOf(before).delete(key)
    bindings.delete(key)
    if (!binding) return
    bindings.set(key, { identity, binding })
    ownersOf({ identity, binding }).set(key, identity)
  }

  for (const { id, identity, binding } of users) {
    ids.set(identityKey(identity), id)
    change({ identity, binding: binding ?? undefined })
  }

  return {
    change(changes: PlannedBinding[]): void {
      for (const each of changes) change(each)
    },
    bindingOf: (identity: Identity) => bindings.get(identityKey(identity))?.binding,
    /** Other users of the tenant. */
    othersBoundTo: (line: NewBinding) =>
      [...ownersOf(line)].filter(([key]) => key !== identityKey(line.identity)).map(([, identity]) => identity),
    /** Returns 0 for a user that the store did not know before the batch. */
    idOf: (identity: Identity) => ids.get(identityKey(identity)) ?? 0,
  }
}

/** `ending`: the users whose bindings are removed for this line. */
function decideImport(
  facts: Pick<Facts, 'bindingOf' | 'othersBoundTo'>,
  line: NewBinding,
  conflict: ImportConflict,
): { outcome: ImportOutcome; ending: Identity[] } {
  const { appId, openid } = line.binding
  const present = facts.bindingOf(line.identity)
  if (present?.appId === appId && present.openid === openid) return { outcome: 'already', ending: [] }
  const others = conflict === 'allow' ? [] : facts.othersBoundTo(line)
  if (conflict === 'replace') {
    const ending = present ? [...others, line.identity] : others
    return { outcome: ending.length > 0 ? 'replaced' : 'bound', ending }
  }
  if (present) return { outcome: 'user-bound', ending: [] }
  return others.length > 0 ? { outcome: 'openid-taken', ending: [] } : { outcome: 'bound', ending: [] }
}
