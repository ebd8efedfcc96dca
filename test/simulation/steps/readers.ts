/** The steps in which a back end reads the list of all bindings page by page (`ListBindings`). */

import type { Answer } from '../../../server/http/answer.ts'
import type { Op } from '../model/explain.ts'
import { bindInfoOf } from '../model/page.ts'
import { type State, tenantOf, type UserKey } from '../model/state.ts'
import type { Story } from '../story.ts'
import { call, readData, toBindInfo } from './back-ends.ts'

export const tenants = ['default', 'other']

/**
 * The state of a back end that reads all bindings of a tenant page by page (a walk). `standing` contains the bindings
 * that have existed since the walk began.
 */
export type Walk = {
  cursor: string | undefined
  place: [boundAt: number, id: number]
  got: UserKey[]
  standing: Map<UserKey, string>
}

export type ReaderStep = { do: 'list' | 'feed' | 'feed_wait'; tenant: number; limit: number; at: number }

const boundOf = (m: State, tenant: string) =>
  [...m.users.values()]
    .flatMap((user) => (user.bound && tenantOf(user.key) === tenant ? [{ ...user, bound: user.bound }] : []))
    .sort((a, b) => a.bound.boundAt - b.bound.boundAt || a.id - b.id)

const standingOf = (m: State, tenant: string) =>
  new Map(boundOf(m, tenant).map(({ key, bound }) => [key, `${bound.boundAt} ${bound.openid}`]))

/** Removes the bindings that have ended or were replaced. Called after every step. */
export function keepStanding(walks: Map<string, Walk>, m: State): void {
  for (const [tenant, { standing }] of walks) {
    const now = standingOf(m, tenant)
    for (const [key, binding] of standing) if (now.get(key) !== binding) standing.delete(key)
  }
}

/** Reads one page of the list. A binding that exists during the whole walk must come exactly once. */
export async function listPage(story: Story, step: ReaderStep): Promise<void> {
  const { world } = story
  const tenant = tenants[step.tenant % tenants.length]!
  const walk: Walk = world.walks.get(tenant) ?? {
    cursor: undefined,
    place: [-1, 0],
    got: [],
    standing: standingOf(story.model(), tenant),
  }
  world.walks.set(tenant, walk)
  const { cursor, place } = walk
  let next: string | null | undefined
  const pageOf = (m: State) => {
    const rest = boundOf(m, tenant).filter(
      ({ bound, id }) => bound.boundAt > place[0] || (bound.boundAt === place[0] && id > place[1]),
    )
    return { shown: rest.slice(0, step.limit), isMore: rest.length > step.limit }
  }
  const fields = { Action: 'Get', Limit: step.limit, ...(cursor === undefined ? {} : { Cursor: cursor }) }
  const op: Op = function* (m) {
    yield
    const { shown, isMore } = pageOf(m)
    const items = shown.map(({ key, bound }) => ({ ...bindInfoOf(m, key), key, Label: bound.label }))
    return { items, isMore }
  }
  const read = (answer: object) =>
    readData(world, tenant, answer as Answer, ({ Items, NextCursor }: ListData) => {
      next = NextCursor
      const items = Items.map((item) => ({ ...toBindInfo(item), key: `${tenant}/${item.Account}/${item.User_ID}` }))
      return { items, isMore: NextCursor !== null }
    })
  await story.request([call(world, world.at(step.at), 'ListBindings', `${tenant}//`, fields, () => op, read)])
  if (next === undefined) return
  const { shown } = pageOf(story.model())
  walk.got.push(...shown.map(({ key }) => key))
  const last = shown.at(-1)
  if (next !== null && last) {
    walk.cursor = next
    walk.place = [last.bound.boundAt, last.id]
    return
  }
  world.walks.delete(tenant)
  for (const key of walk.standing.keys()) {
    const times = walk.got.filter((each) => each === key).length
    if (times !== 1) throw new Error(`${key} was bound during the whole walk, and the list contained it ${times} times`)
  }
}

type ListData = {
  Items: ({ Account: string; User_ID: string; AppId: string; Label: string | null } & Record<string, unknown>)[]
  NextCursor: string | null
}
