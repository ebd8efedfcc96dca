/** What the WeChat users of one round do, and the check that the store agrees with every answer that they got. */
import { query } from '../../support/postgres.ts'
import type { Callback, Callbacks, Outcome } from './wechat.ts'

/**
 * Most callbacks are scans of a new user. Of twenty stories one is a QR code that two people scan, one is a person who scans the QR
 * codes of two users, and two are people who scanned before and unfollow.
 */
export function createStories(users: () => string): Callbacks {
  const queue: Callback[] = []
  const bound: Outcome[] = []
  let stories = 0

  const scan = (user: string, openid: string) => void queue.push({ user, openid, event: 'SCAN' })

  function addStory(): void {
    const user = users()
    const kind = stories++ % 20
    const leaving = kind === 2 || kind === 3 ? bound.shift() : undefined
    if (leaving) queue.push({ ...leaving, event: 'unsubscribe' })
    else if (kind === 0) for (const person of ['a', 'b']) scan(user, `o-${user}-${person}`)
    else if (kind === 1) for (const each of [user, users()]) scan(each, `o-${user}`)
    else scan(user, `o-${user}`)
  }

  return {
    next() {
      if (queue.length === 0) addStory()
      return queue.shift()!
    },
    ended(outcome) {
      if (outcome.event === 'SCAN' && outcome.reply === 'bound') bound.push(outcome)
    },
  }
}

/** Inserts users with a ticket each, whose names begin with `prefix`. */
export async function addUsers(url: string, prefix: string, count: number, appId: string): Promise<void> {
  const now = Date.now()
  await query(
    url,
    `with made as (insert into users (tenant, account, user_id, version)
       select 'default', 'acme', $1 || n, 0 from generate_series(0, $2::int - 1) n returning id, user_id)
     insert into tickets ("user", app_id, scene, code, wechat_ticket, url, lang, created_at, expires_at, state)
       select id, $3, 'wb1_' || user_id, upper(user_id), 'ticket', 'http://weixin.qq.com/q/' || user_id, 'en', $4::bigint,
         $4::bigint + 3600000, 'pending' from made`,
    [prefix, count, appId, now],
  )
}

/** The number of answers that were checked, and what is wrong. */
export type Verdict = { answered: number; lost: string[]; twice: string[] }

export async function verify(url: string, prefix: string, outcomes: Outcome[]): Promise<Verdict> {
  const pattern = `${prefix}%`
  const bindings = await query<{ user_id: string; openid: string }>(
    url,
    'select user_id, openid from bindings join users on users.id = bindings."user" where user_id like $1',
    [pattern],
  )
  const events = await query<{ user_id: string; type: string; version: string; now: string }>(
    url,
    `select user_id, type, events.version, users.version as now from events join users on users.id = events."user"
       where user_id like $1 order by events.id`,
    [pattern],
  )
  const openidOf = new Map(bindings.map(({ user_id, openid }) => [user_id, openid]))
  const boundOpenids = new Set(openidOf.values())
  const eventsOf = Map.groupBy(events, ({ user_id }) => user_id)
  const countOf = (user: string, type: string) =>
    (eventsOf.get(user) ?? []).filter((event) => event.type === type).length
  const unfollowed = new Set(outcomes.filter(({ event }) => event === 'unsubscribe').map(({ openid }) => openid))

  /** Whether the store shows what the answer said. */
  function hasEffect({ user, openid, event, reply }: Outcome): boolean {
    if (event === 'unsubscribe')
      return reply === 'silent' && !boundOpenids.has(openid) && countOf(user, 'unbound') === 1
    if (reply === 'bound')
      return countOf(user, 'bound') === 1 && (unfollowed.has(openid) || openidOf.get(user) === openid)
    // A scan that is repeated after its person has unfollowed gets no text, because it is older than the unfollow.
    if (reply === 'silent' && unfollowed.has(openid)) return openidOf.get(user) !== openid
    // A scan gets no text if a later scan of the same QR code has bound its user before.
    if (reply === 'used' || reply === 'silent') return countOf(user, 'bound') === 1 && openidOf.get(user) !== openid
    return reply === 'conflict' && countOf(user, 'bound') === 0
  }

  const answered = outcomes.filter(({ reply }) => reply !== undefined)
  const toText = ({ user, openid, event, reply }: Outcome) => `${event} of ${openid} for ${user}, answered "${reply}"`
  const twice = bindings.length - boundOpenids.size > 0 ? ['an openid is bound to two users'] : []
  for (const [user, list] of eventsOf) {
    const versions = list.map(({ version }) => Number(version))
    if (countOf(user, 'bound') > 1 || countOf(user, 'unbound') > 1) twice.push(`${user} has an event twice`)
    if (versions.some((version, i) => version <= (versions[i - 1] ?? 0)) || versions.at(-1)! > Number(list[0]!.now))
      twice.push(`${user} has the versions ${versions}`)
  }
  for (const [user, list] of Map.groupBy(
    answered.filter(({ reply, event }) => event === 'SCAN' && reply === 'bound'),
    ({ user }) => user,
  ))
    if (list.length > 1) twice.push(`${user} was bound for two people`)
  return { answered: answered.length, lost: answered.filter((each) => !hasEffect(each)).map(toText), twice }
}
