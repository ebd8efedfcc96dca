/** The model of `move-openids`: after the account's migration, each binding gets the new openid of its WeChat user. */
import { addEvent, bump, setUser } from './changes.ts'
import { othersOf } from './confirm.ts'
import type { Answer } from './page.ts'
import { isOld, type State, type UserKey, userOf } from './state.ts'

type Walk = { key: UserKey; from: string }[]

/** The first part, before the request to WeChat: reads the bindings of the old account. */
function* read(m: State): Generator<void, Walk> {
  yield
  return [...m.users.values()].flatMap(({ key, bound }) =>
    bound && isOld(bound.openid) ? [{ key, from: bound.openid }] : [],
  )
}

/**
 * The second part, after WeChat's answer: moves the bindings. The report has a line for each binding that was not
 * moved, and a line with the sum.
 */
function* move(
  m: State,
  walk: Walk,
  newOpenidOf: (old: string) => string | undefined,
  isDryRun: boolean,
): Generator<void, Answer> {
  yield
  if (!m.hasChangedOpenids) return { code: 'WECHAT' }
  const known = walk.filter(({ from }) => newOpenidOf(from) !== undefined)
  const isTaken = new Set(
    known
      .filter(({ key, from }) => m.settings.conflict !== 'allow' && othersOf(m, key, newOpenidOf(from)!).length > 0)
      .map(({ key }) => key),
  )
  let lines = 1 + walk.length - known.length
  let isAll = walk.length === known.length
  for (const { key, from } of known) {
    const { bound } = userOf(m, key)
    if (bound?.openid !== from) lines++
    else if (isTaken.has(key)) {
      lines++
      isAll = false
    } else if (!isDryRun) moveOne(m, key, newOpenidOf(from)!)
  }
  return { isAll, lines }
}

function moveOne(m: State, key: UserKey, openid: string): void {
  const { bound } = userOf(m, key)
  if (!bound) return
  const before = m.events.findLastIndex((event) => event.user === key && event.type === 'bound')
  // If the server repeats a webhook of an earlier change of this binding, the webhook contains the new openid.
  m.events = m.events.map((event, i) => (event.user === key && i >= before ? { ...event, openid } : event))
  setUser(m, key, { bound: { ...bound, openid, heardIn: m.step } })
  bump(m, key)
  addEvent(m, key, 'updated', 'openid')
}

export const moveOpenids = { read, move }
