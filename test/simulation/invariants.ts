/** Checks the invariants that must be true after every step. README.md lists them. */
import { differ } from './model/difference.ts'
import type { Observed } from './model/observed.ts'
import { type Answer, viewsOf } from './model/page.ts'
import { type State, tenantOf, type UserKey } from './model/state.ts'
import type { Delivered } from './world/receiver.ts'
import type { World } from './world/world.ts'

/** The facts that others have learned from the server. Later steps must not contradict these facts. */
export type Told = {
  versions: Map<UserKey, number>
  /** The last version of each user that the receiver has accepted. */
  accepted: Map<string, number>
  acceptedIds: Set<string>
  uids: Map<string, string>
  /** True after a server was killed or the store has failed. From then on, the server may send a notice again. */
  isDisturbed: boolean
}

export const newTold = (): Told => ({
  versions: new Map(),
  accepted: new Map(),
  acceptedIds: new Set(),
  uids: new Map(),
  isDisturbed: false,
})

export function checkInvariants(world: World, m: State, seen: Observed, told: Told): string | undefined {
  return (
    checkBindings(m, seen) ??
    checkTickets(seen) ??
    checkQrcodes(world, m) ??
    checkVersions(m, told) ??
    checkEvents(seen, told) ??
    checkPages(world, m) ??
    checkDelivered(world.receiver.takeDelivered(), m, told)
  )
}

/** With CONFLICT=reject, a WeChat is bound to at most one user of a tenant. */
function checkBindings(m: State, { users }: Observed): string | undefined {
  if (m.settings.conflict === 'allow') return undefined
  const owners = new Map<string, UserKey>()
  for (const [key, { bound }] of users) {
    if (!bound) continue
    const name = `${tenantOf(key)} ${bound.openid}`
    if (owners.has(name)) return `one WeChat is bound to ${owners.get(name)} and ${key}`
    owners.set(name, key)
  }
  return undefined
}

/** A closed ticket keeps no openid and no digits. */
function checkTickets({ tickets }: Observed): string | undefined {
  for (const { scene, state, hold } of tickets.values()) {
    if (state !== 'scanned' && hold) return `ticket ${scene} is ${state} and keeps an openid`
    if (state === 'scanned' && !hold) return `ticket ${scene} is scanned by nobody`
  }
  return undefined
}

const QR_AGE = 300_000
const FOLLOW_GRACE = 300_000
// The longest time until WeChat's answer.
const ON_REQUEST = 5_000

/**
 * The server gives a QR code to only one user and only once, at most five minutes after WeChat has created it. WeChat
 * must accept scans of the QR code until its ticket expires.
 */
function checkQrcodes({ wechat, given }: World, m: State): string | undefined {
  for (const { scene, createdAt, expiresAt } of m.tickets.values()) {
    if (given.has(scene)) continue
    const made = wechat.made.get(scene)
    if (!made) return `WeChat has never made the QR code ${scene}`
    const age = createdAt - made.at
    if (age > QR_AGE + ON_REQUEST) return `the QR code ${scene} is ${age} ms old when it is given to a user`
    const least = age > ON_REQUEST ? expiresAt + FOLLOW_GRACE : expiresAt - age
    if (made.at + made.lastsMs < least) return `WeChat forgets the QR code ${scene} before its ticket expires`
    given.add(scene)
  }
  return undefined
}

/** A version never decreases, even after the user was erased. */
function checkVersions(m: State, told: Told): string | undefined {
  for (const [key, { version }] of m.users) {
    const before = told.versions.get(key) ?? 0
    if (version < before) return `${key}: the version fell from ${before} to ${version}`
    told.versions.set(key, version)
  }
  return undefined
}

/** Each change has one event with a unique id. After a binding comes an unbinding before the next binding. */
function checkEvents({ events }: Observed, told: Told): string | undefined {
  const last = new Map<UserKey, { version: number; isBound: boolean | undefined }>()
  for (const { user, version, type, reason, uid } of events) {
    const before = last.get(user) ?? { version: 0, isBound: undefined }
    if (version <= before.version) return `${user}: event ${version} comes after ${before.version}`
    if (type === 'bound' && before.isBound === true) return `${user}: bound twice at ${version}`
    if (type === 'unbound' && before.isBound === false) return `${user}: unbound twice at ${version}`
    last.set(user, { version, isBound: type === 'unbound' ? false : type === 'bound' ? true : before.isBound })
    const name = `${user} ${version} ${type} ${reason}`
    const known = told.uids.get(uid)
    if (known !== undefined && known !== name) return `the events "${known}" and "${name}" have the same id ${uid}`
    told.uids.set(uid, name)
  }
  return undefined
}

/**
 * A waiting page gets its answer as soon as any server has committed a greater version. The page gets 304 only after
 * its full waiting time.
 */
function checkPages(world: World, m: State): string | undefined {
  for (const { key, known, until, answer } of world.pages) {
    const version = m.users.get(key)?.version ?? 0
    if (!answer && version > known)
      return `${key}: a page that knows ${known} still waits, but the version is ${version}`
    if (!answer && m.now > until + 1000) return `${key}: a page waits longer than its time limit`
    if (answer?.status === 304 && m.now < until) return `${key}: a page got 304 before its time limit`
    if (answer?.status !== 200) continue
    const view = JSON.parse(String(answer.body)) as Answer
    if ((view.version as number) <= known || (view.version as number) > version) {
      return `${key}: a page that knew ${known} got ${view.version}, but the version is ${version}`
    }
    if (view.version !== version) continue
    const wrongs = viewsOf(m, key).map((expected) => differ(`${key}: the answer to a page`, expected, view))
    if (wrongs.every((wrong) => wrong !== undefined)) return wrongs[0]
  }
  world.pages = world.pages.filter(({ answer }) => !answer)
  return undefined
}

/**
 * The notices of a user come in the order of the changes and match them. A notice contains no openid that was erased or
 * that belongs to a later binding.
 */
function checkDelivered(delivered: Delivered[], m: State, told: Told): string | undefined {
  for (const notice of delivered) {
    const { id, key, version, type, reason, openid, accepted } = notice
    const name = `${key} ${version} ${type.slice('binding.'.length)} ${reason}`
    if (told.uids.get(id) !== name)
      return `the webhook "${name}" matches no change: its id ${id} belongs to ${told.uids.get(id)}`
    const before = told.accepted.get(key) ?? 0
    if (version < before && !told.isDisturbed) return `${key}: webhook ${version} comes after ${before}`
    if (told.acceptedIds.has(id) && !told.isDisturbed)
      return `the receiver had accepted the webhook ${name}, and it came again`
    const event = m.events.find((each) => each.user === key && each.version === version)
    if (openid && event && event.openid !== openid) return `the webhook ${name} names the WeChat of another binding`
    if (!accepted) continue
    told.accepted.set(key, Math.max(before, version))
    told.acceptedIds.add(id)
  }
  return undefined
}
