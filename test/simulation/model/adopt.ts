/**
 * Copies values from the store into the model: values that only the store can choose (ids, codes, digits), and changes
 * that the server may make at any time.
 */

import { addEvent, bump, endHold, forgetUser, setTicket, setUser } from './changes.ts'
import type { Choose } from './explain.ts'
import type { Observed } from './observed.ts'
import { type State, type UserKey, userOf } from './state.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

export type Known = {
  unionidOf: (openid: string) => string | undefined
  appIdOf: (openid: string) => string
  /**
   * Returns whether WeChat has answered in this step that the user follows the account. The server must have sent its
   * request in the step `heardIn` or later.
   */
  isToldFollower: (openid: string, heardIn: number) => boolean
  /**
   * These functions return the keys under which the store keeps the version of an erased user, an unfollow, and a
   * delivery.
   */
  floorOf: (key: UserKey) => string
  unfollowOf: (openid: string) => string
  deliveryOf: (key: string) => string
}

export function adopt(m: State, seen: Observed, known: Known): void {
  forget(m, seen, known)
  for (const [scene, ticket] of m.tickets) {
    const found = seen.tickets.get(scene)
    if (!found) {
      if (m.now < ticket.expiresAt + DAY) continue
      if (ticket.hold) endHold(m, ticket)
      m.tickets.delete(scene)
      continue
    }
    if (ticket.id === 0) setTicket(m, ticket, { id: found.id, code: found.code })
    const { hold } = ticket
    if (hold?.kind === 'code' && hold.digits === null && /^\d{4}$/.test(found.hold?.digits ?? '')) {
      setTicket(m, ticket, { hold: { ...hold, digits: found.hold?.digits ?? null } })
    }
    // The server may close an expired scan at any time after its expiry.
    if (hold && found.state === 'used' && m.now >= hold.until) endHold(m, ticket)
  }
  for (const [key, user] of m.users) {
    const found = seen.users.get(key)
    if (found && user.id !== found.id) setUser(m, key, { id: found.id })
    if (found && user.erased && user.reason === 'erased' && found.reason === null) setUser(m, key, { reason: null })
    if (!found && user.erased) forgetUser(m, key)
  }
  nameRows(m, m.authorizations, seen.authorizations, (a, b) => a.user === b.user)
  nameRows(m, m.sessions, seen.sessions, (a, b) => a.name === b.name)
  if (m.actions.length > seen.actions.length) m.actions = m.actions.filter(({ at }) => m.now < at + 365 * DAY)
  learn(m, seen, known)
  const kept = new Set(seen.events.map(({ user, version, type }) => `${user} ${version} ${type}`))
  m.events = m.events.filter(
    (event) =>
      kept.has(`${event.user} ${event.version} ${event.type}`) || !(event.erased || m.now >= event.at + 90 * DAY),
  )
}

/** The server may complete an erasure before the requests of a step. A request then finds a user whom the store does not know. */
export function completeErasures(m: State, seen: Observed, choose: Choose): void {
  for (const [key, { erased, id }] of m.users) {
    if (erased && seen.users.get(key)?.id !== id && choose(2) === 1) forgetUser(m, key)
  }
}

/** Copies the hash of a new row from the store. The server may delete an expired row at any time. */
function nameRows<T extends { until: number }>(
  { now }: State,
  rows: Map<string, T>,
  seen: Map<string, T>,
  isSame: (a: T, b: T) => boolean,
): void {
  for (const [name, made] of rows) {
    if (seen.has(name)) continue
    if (name.startsWith('new ')) {
      const unknown = [...seen].find(([hash, found]) => isSame(made, found) && !rows.has(hash))
      rows.delete(name)
      rows.set(unknown?.[0] ?? 'a row that was not stored', made)
    } else if (now >= made.until) rows.delete(name)
  }
}

/** Returns whether the store may contain data from WeChat's answers in this step. */
export const hasNews = (m: State, seen: Observed): boolean =>
  [...m.users].some(([key, { bound }]) => {
    const found = seen.users.get(key)?.bound
    return bound && found && ((!bound.unionid && found.unionid) || (!bound.subscribed && found.subscribed))
  })

/** Copies the data from WeChat's answers in this step. */
export function learn(m: State, seen: Observed, known: Known): void {
  for (const key of m.users.keys()) {
    adoptFollowing(m, key, seen, known)
    adoptUnionid(m, key, seen, known)
  }
}

/** The server may delete an expired record at any time. */
function forget(m: State, { memory }: Observed, { unfollowOf, deliveryOf }: Known): void {
  for (const [openid, { until }] of m.unfollows) {
    if (m.now >= until && !memory.unfollows.has(unfollowOf(openid))) m.unfollows.delete(openid)
  }
  for (const [key, { until }] of m.deliveries) {
    if (m.now >= until && !memory.deliveries.has(deliveryOf(key))) m.deliveries.delete(key)
  }
  for (const [jti, until] of m.jtis) if (m.now >= until) m.jtis.delete(jti)
}

/**
 * When the server requests a unionid, WeChat's answer also says whether the user follows the account. The server
 * ignores this if the message of a follow or an unfollow has arrived since the request.
 */
function adoptFollowing(m: State, key: UserKey, seen: Observed, { isToldFollower }: Known): void {
  const { bound, version } = userOf(m, key)
  const found = seen.users.get(key)?.bound
  if (!bound || bound.subscribed || !found?.subscribed || found.openid !== bound.openid) return
  const event = seen.events.find((each) => each.user === key && each.version === version + 1)
  if (!isToldFollower(bound.openid, bound.heardIn) || event?.reason !== 'subscribed') return
  setUser(m, key, { bound: { ...bound, subscribed: true } })
  bump(m, key)
  addEvent(m, key, 'updated', 'subscribed', event.at)
}

/** The unionid arrives some time after the binding. */
function adoptUnionid(m: State, key: UserKey, seen: Observed, { unionidOf }: Known): void {
  const { bound, version } = userOf(m, key)
  const found = seen.users.get(key)?.bound
  if (!bound || bound.unionid !== null || !found?.unionid || found.openid !== bound.openid) return
  if (found.unionid !== unionidOf(bound.openid)) return
  const event = seen.events.find((each) => each.user === key && each.version === version + 1)
  setUser(m, key, { bound: { ...bound, unionid: found.unionid } })
  bump(m, key)
  addEvent(m, key, 'updated', 'unionid', event?.at)
}
