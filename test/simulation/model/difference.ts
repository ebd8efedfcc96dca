/** Compares the model with the store. */
import type { Known } from './adopt.ts'
import type { Observed } from './observed.ts'
import { type Bound, type Event, type State, type Ticket, userOf } from './state.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND

/** Describes the first difference between the model and the store. */
export function difference(m: State, seen: Observed, known: Known): string | undefined {
  return (
    differenceOfUsers(m, seen, known) ??
    differenceOfTickets(m, seen) ??
    differenceOfAuthorizations(m, seen) ??
    differenceOfConsole(m, seen) ??
    differ('events', inOrder(m.events), inOrder(seen.events)) ??
    differenceOfMemory(m, seen, known)
  )
}

function differenceOfUsers(m: State, { users, floors }: Observed, known: Known): string | undefined {
  for (const key of new Set([...m.users.keys(), ...users.keys()])) {
    const found = users.get(key)
    const user = userOf(m, key)
    const version = found?.version ?? floors.get(known.floorOf(key)) ?? 0
    const wrong =
      differ(`${key}: version`, user.version, version) ??
      differ(`${key}: reason`, user.reason, found?.reason ?? null) ??
      differ(`${key}: binding`, shapeOfBound(user.bound, known), found?.bound ?? null) ??
      differ(`${key}: the number of times that all tickets were closed`, user.epoch, found?.epoch ?? 0) ??
      differ(`${key}: erased`, user.erased, found?.erased ?? false) ??
      differ(`${key}: notice`, user.notice, found?.notice ?? null)
    if (wrong) return wrong
  }
  return undefined
}

function differenceOfTickets(m: State, { tickets }: Observed): string | undefined {
  for (const scene of new Set([...m.tickets.keys(), ...tickets.keys()])) {
    const wrong = differ(`ticket ${scene}`, shape(m.tickets.get(scene)), shape(tickets.get(scene)))
    if (wrong) return wrong
  }
  return undefined
}

function differenceOfAuthorizations(m: State, { authorizations }: Observed): string | undefined {
  for (const hash of new Set([...m.authorizations.keys(), ...authorizations.keys()])) {
    const [expected, found] = [m.authorizations.get(hash), authorizations.get(hash)].map(
      (each) => each && [each.user, each.state, each.createdAt, each.until, each.openid],
    )
    const wrong = differ(`authorization ${hash}`, expected, found)
    if (wrong) return wrong
  }
  return undefined
}

function differenceOfConsole(m: State, { sessions, signIns, actions }: Observed): string | undefined {
  const live = (window: typeof signIns) => (window && window.until > m.now ? window : undefined)
  return (
    differ('sessions', [...m.sessions].sort(), [...sessions].sort()) ??
    differ('attempts to sign in', live(m.signIns), live(signIns)) ??
    differ('actions', m.actions, actions)
  )
}

function differenceOfMemory(m: State, { memory }: Observed, { unfollowOf, deliveryOf }: Known): string | undefined {
  const { now } = m
  const isLive = (until: number) => until > now
  for (const [name, window] of m.windows) {
    const [unit = '', key = ''] = name.split(' ')
    const found = memory.windows.get(`${unit}/user/${userOf(m, key).id}`)
    const wrong = isLive(window.until) ? differ(`the limit ${name}`, window, found) : undefined
    if (wrong) return wrong
  }
  for (const [openid, { time }] of m.unfollows) {
    const wrong = differ(`the unfollow of ${openid}`, time, memory.unfollows.get(unfollowOf(openid))?.time)
    if (wrong) return wrong
  }
  const ids = new Set([...m.users.values()].map(({ id }) => id))
  // The rate windows of a deleted user stay in the store until they expire.
  const live = [...memory.windows].filter(
    ([scope, { until }]) => isLive(until) && ids.has(Number(scope.slice(scope.lastIndexOf('/') + 1))),
  ).length
  const wrongCodes = [...m.wrongCodes.values()].flat().filter((at) => at > now - HOUR).length
  return (
    differ('limits', [...m.windows.values()].filter(({ until }) => isLive(until)).length, live) ??
    differ('unfollows', m.unfollows.size, memory.unfollows.size) ??
    differ('deliveries', [...m.deliveries.keys()].map(deliveryOf).sort(), [...memory.deliveries.keys()].sort()) ??
    differ('used requests', m.jtis.size, memory.jtis.filter(isLive).length) ??
    differ('wrong codes', wrongCodes, memory.wrongCodes.filter((at) => at > now - HOUR).length)
  )
}

function shapeOfBound(bound: Bound | null, { appIdOf }: Known) {
  if (!bound) return null
  const { heardIn, ...rest } = bound
  return { ...rest, appId: appIdOf(bound.openid) }
}

const shape = (ticket: Omit<Ticket, 'usedBy'> | undefined) =>
  ticket && [ticket.id, ticket.user, ticket.state, ticket.label, ticket.createdAt, ticket.expiresAt, ticket.hold]

/** Returns the events of each user. */
const inOrder = (events: Omit<Event, 'openid'>[]) =>
  [...Map.groupBy(events, ({ user }) => user)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ofUser]) => ofUser.map(line))

const line = ({ user, version, type, reason, at }: Pick<Event, 'user' | 'version' | 'type' | 'reason' | 'at'>) =>
  `${user} ${version} ${type} ${reason} ${at}`

export function differ(what: string, expected: unknown, got: unknown): string | undefined {
  const [a, b] = [JSON.stringify(expected), JSON.stringify(got)]
  return a === b ? undefined : `${what}\n    expected ${a}\n    got      ${b}`
}
