/** The users in the console: the search, the page of one user, and the operator's actions on a user. */
import { eraseUser } from '../binding/erase.ts'
import { unbind } from '../binding/unbind.ts'
import { toUserExport, type UserExport } from '../binding/user-export.ts'
import type { Deps } from '../deps.ts'
import { BindError } from '../errors.ts'
import { nextTryOf, type Receivers } from '../outbound/receiver-waits.ts'
import type { FoundUser, UserPlace } from '../store/console-store.ts'
import type { Identity } from '../store/store.ts'
import type { UserRecord } from '../store/user-record.ts'
import { masked } from './masked.ts'
import { ACTION_LINE, type Session } from './sessions.ts'
import type { HistoryEntry, Revealed, Role, TicketView, UserLine, UserList, UserView } from './wire.ts'

type Search = { q: string; tenant?: string | undefined; cursor?: string | undefined; limit: number }

const MAX_HISTORY = 200
const MAX_TICKETS = 50

export function createUserPages(deps: Deps) {
  const { store, cursors, clock, log } = deps
  const { nameOf } = deps.console

  const noteAction = ({ name }: Session, action: string, identity: Identity) =>
    log.info({ operator: name, action, user: nameOf(identity) }, ACTION_LINE)

  async function recordOf(identity: Identity): Promise<UserRecord> {
    const record = await store.userRecord(identity)
    if (!record) throw unknownUser()
    return record
  }

  async function show(identity: Identity, { role }: Session): Promise<UserView> {
    const [record, states] = await Promise.all([recordOf(identity), store.outbox.receivers()])
    const now = clock()
    const receivers = { known: deps.console.receivers().map(({ name }) => name), states, now }
    return toUserView(record, { role, now, bindUser: nameOf(identity), receivers })
  }

  return {
    async search({ q, tenant, cursor, limit }: Search, { role }: Session): Promise<UserList> {
      const text = q.trim()
      const scope = ['console users', text, tenant ?? '']
      const after = cursors.open<UserPlace>(scope, cursor)
      // Reads one user more than the page shows, to know whether there is another page.
      const found = await store.console.searchUsers({ text, tenant }, after, limit + 1)
      const shown = found.slice(0, limit)
      const last = found.length > limit ? shown.at(-1) : undefined
      return { items: shown.map((user) => toLine(user, role)), next: last ? cursors.seal(scope, last.place) : null }
    },
    show,
    async unbind(identity: Identity, session: Session): Promise<UserView> {
      const { user, wasBound } = await unbind(deps, identity, 'operator', session.name)
      if (user.id === 0) throw unknownUser()
      noteAction(session, 'unbind', identity)
      if (!wasBound) throw notBound()
      return show(identity, session)
    },
    async erase(identity: Identity, session: Session): Promise<void> {
      const wasKnown = await eraseUser(deps, identity, { operator: session.name, subject: nameOf(identity) })
      if (!wasKnown) throw unknownUser()
      noteAction(session, 'erase', identity)
    },
    /** The action is recorded first, so that every export is in the log of actions. */
    async export(identity: Identity, session: Session): Promise<UserExport> {
      const { user } = await recordOf(identity)
      const { name: operator } = session
      await store.write((tx) =>
        tx.apply({ type: 'recordAction', user: user.id, operator, action: 'export', at: clock() }),
      )
      noteAction(session, 'export', identity)
      return toUserExport(user, await store.userRecord(identity))
    },
    /** The ids are read in the transaction that records the action. */
    async reveal(identity: Identity, session: Session): Promise<Revealed> {
      const at = clock()
      const user = await store.write(function* (tx) {
        const user = yield* tx.userOf(identity)
        if (!user.binding) return user
        yield* tx.apply({ type: 'recordAction', user: user.id, operator: session.name, action: 'reveal', at })
        return user
      })
      if (user.id === 0) throw unknownUser()
      if (!user.binding) throw notBound()
      noteAction(session, 'reveal', identity)
      return { openid: user.binding.openid, unionid: user.binding.unionid }
    },
  }
}

const unknownUser = () => new BindError('NOT_FOUND', 'The server does not know this user, or the user was erased.')

const notBound = () =>
  new BindError('NOT_BOUND', 'This user has no WeChat account bound. Earlier QR codes of this user no longer work.')

const toLine = ({ identity, binding, by }: FoundUser, role: Role): UserLine => ({
  ...identity,
  state: binding ? 'bound' : 'unbound',
  boundAt: binding?.boundAt ?? null,
  subscribed: binding?.subscribed ?? null,
  label: binding?.label ?? null,
  openid: masked(binding?.openid ?? null, role),
  found: by,
})

type ViewOptions = { role: Role; now: number; bindUser: string; receivers: Receivers }

function toUserView({ user, history, tickets, notices, actions }: UserRecord, options: ViewOptions): UserView {
  const { role, now, bindUser, receivers } = options
  const { identity, version, reason, binding, confirmation } = user
  const entries = toHistory(history, actions)
  return {
    ...identity,
    bindUser,
    version,
    state: binding ? 'bound' : confirmation && confirmation.until > now ? 'scanned' : 'unbound',
    reason,
    binding: binding && {
      appId: binding.appId,
      openid: masked(binding.openid, role),
      unionid: masked(binding.unionid, role),
      hasUnionid: binding.unionid !== null,
      subscribed: binding.subscribed,
      boundAt: binding.boundAt,
      label: binding.label,
    },
    history: entries.slice(0, MAX_HISTORY),
    historyIsCut: entries.length > MAX_HISTORY,
    tickets: tickets
      .slice(-MAX_TICKETS)
      .reverse()
      .map((ticket) => toTicketView(ticket, now)),
    notices: notices.map(({ uid, receiver, state, nextAt, attempts }) => ({
      id: uid,
      receiver,
      state,
      attempts,
      nextAt: state === 'failed' ? null : (nextTryOf({ receiver, nextAt }, receivers) ?? null),
    })),
  }
}

/** Returns the newest entry first. An unbinding in the console is one entry: the event with the operator's name. */
function toHistory(history: UserRecord['history'], actions: UserRecord['actions']): HistoryEntry[] {
  const unbindings = new Map(
    actions.flatMap((each) => (each.action === 'unbind' ? [[each.version, each.operator]] : [])),
  )
  const events = history.map(({ uid, type, reason, version, at }) => ({
    id: uid,
    type,
    reason,
    version,
    at,
    by: (type === 'unbound' ? unbindings.get(version) : undefined) ?? null,
  }))
  const others = actions.flatMap(({ id, action, version, at, operator: by }): HistoryEntry[] => {
    const type = action === 'reveal' ? 'revealed' : action === 'export' ? 'exported' : undefined
    return type ? [{ id: `act_${id}`, type, reason: null, version, at, by }] : []
  })
  // At the same time and version, an action comes after the event.
  return [...others, ...events].sort((a, b) => b.at - a.at || (b.version ?? 0) - (a.version ?? 0))
}

function toTicketView(ticket: UserRecord['tickets'][number], now: number): TicketView {
  const { state, createdAt, expiresAt, label } = ticket
  return { state: state === 'pending' && expiresAt <= now ? 'expired' : state, createdAt, expiresAt, label }
}
