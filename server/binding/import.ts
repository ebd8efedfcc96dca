/** Binds users to openids that an operator has, in batches. Each batch is one transaction. */
import { identityKey } from '../store/identity.ts'
import type { Plan } from '../store/plan.ts'
import type { Binding, Identity, NewBinding, Store, Tx, User } from '../store/store.ts'

export type ImportConflict = 'reject' | 'skip' | 'replace' | 'allow'

/**
 * The outcome of a line. `already`: the same binding exists. `user-bound`: the user is bound to another WeChat account.
 * `openid-taken`: the WeChat account is bound to another user of the tenant.
 */
export type ImportOutcome = 'bound' | 'replaced' | 'already' | 'user-bound' | 'openid-taken'

type ImportDeps = { store: Store; clock: () => number }

type ImportSettings = { conflict: ImportConflict; isDryRun: boolean }

/** The outcomes have the order of the lines. A dry run decides and changes nothing. A batch can be repeated. */
export function importBatch(
  { store, clock }: ImportDeps,
  lines: NewBinding[],
  settings: ImportSettings,
): Promise<ImportOutcome[]> {
  const now = clock()
  return store.write((tx) => decideAndBind(tx, lines, settings, now))
}

function* decideAndBind(tx: Tx, lines: NewBinding[], settings: ImportSettings, now: number): Plan<ImportOutcome[]> {
  const owners = yield* tx.ownersOfAll(lines.map(({ binding: { appId, openid } }) => ({ appId, openid })))
  const facts = createFacts([...owners, ...(yield* tx.usersOf(lines.map(({ identity }) => identity)))])
  const outcomes: ImportOutcome[] = []
  let fresh: NewBinding[] = []

  function* bindFresh(): Plan<void> {
    yield* tx.bindAll(fresh, 'import', now)
    fresh = []
  }

  for (const line of lines) {
    const { outcome, ending } = decideImport(facts, line, settings.conflict)
    outcomes.push(outcome)
    if (outcome !== 'bound' && outcome !== 'replaced') continue
    if (!settings.isDryRun) {
      // A binding to be removed may have been added by this batch.
      if (ending.length > 0) yield* bindFresh()
      for (const identity of ending) {
        const { id } = yield* tx.userOf(identity)
        yield* tx.apply({ type: 'unbind', user: id, reason: 'replaced', at: now })
      }
      const id = facts.idOf(line.identity)
      // A QR code that the user's page shows must not bind another WeChat account afterwards.
      if (id !== 0) yield* tx.apply({ type: 'closeTickets', user: id, bumpsVersion: false })
      fresh.push(line)
    }
    for (const identity of ending) facts.unbind(identity)
    facts.bind(line)
  }
  yield* bindFresh()
  return outcomes
}

type Facts = ReturnType<typeof createFacts>

/** The bindings of users and openids, including those of earlier lines of the batch. */
function createFacts(users: User[]) {
  const ids = new Map<string, number>()
  const bindings = new Map<string, { identity: Identity; binding: Binding }>()
  const owners = new Map<string, Map<string, Identity>>()

  const ownersOf = ({ identity: { tenant }, binding: { appId, openid } }: NewBinding) => {
    const key = JSON.stringify([tenant, appId, openid])
    const found = owners.get(key) ?? new Map<string, Identity>()
    owners.set(key, found)
    return found
  }

  function bind(bound: NewBinding): void {
    bindings.set(identityKey(bound.identity), bound)
    ownersOf(bound).set(identityKey(bound.identity), bound.identity)
  }

  for (const { id, identity, binding } of users) {
    ids.set(identityKey(identity), id)
    if (binding) bind({ identity, binding })
  }

  return {
    bind,
    unbind(identity: Identity): void {
      const bound = bindings.get(identityKey(identity))
      if (bound) ownersOf(bound).delete(identityKey(identity))
      bindings.delete(identityKey(identity))
    },
    bindingOf: (identity: Identity) => bindings.get(identityKey(identity))?.binding,
    /** Other users of the tenant. */
    othersBoundTo: (line: NewBinding) =>
      [...ownersOf(line)].filter(([key]) => key !== identityKey(line.identity)).map(([, identity]) => identity),
    /** 0 for a user that the store did not know before the batch. */
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
