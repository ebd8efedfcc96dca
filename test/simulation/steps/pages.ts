/** The requests of pages: QR codes, long polls, digits, and the button that unbinds. */
import type { Answer } from '../../../server/http/answer.ts'
import type { Op } from '../model/explain.ts'
import * as page from '../model/page.ts'
import { holds, type State, ticketsOf, type UserKey, userOf } from '../model/state.ts'
import { type Instance, LOST } from '../world/instance.ts'
import type { WaitingPage, World } from '../world/world.ts'
import { type Exchange, type Outcome, PARKED, readRefusal } from './exchange.ts'

const isAsked = (m: State, key: UserKey) => holds(ticketsOf(m, key)).some(({ hold }) => hold.kind === 'code')

/** Returns `key`, or another user whose scan waits for digits if no scan of `key` does. Else most digits would meet no scan. */
export const askedForDigits = (m: State, key: UserKey): UserKey =>
  isAsked(m, key) ? key : ([...m.users.keys()].find((each) => isAsked(m, each)) ?? key)

export function digitsFor(m: State, key: UserKey, right: boolean): string {
  const all = holds(ticketsOf(m, key)).flatMap(({ hold }) => (hold.digits === null ? [] : [hold.digits]))
  if (right) return all[0] ?? '0000'
  return ['1111', '2222', '3333', '4444'].find((digits) => !all.includes(digits))!
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

export function onPage(
  world: World,
  instance: Instance,
  key: UserKey,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body: unknown,
  toOp: (key: UserKey) => Op,
  label: string | null = null,
): Exchange {
  return {
    instance,
    send: async () =>
      instance.call({
        method,
        path,
        headers: { authorization: `Bearer ${await world.tokenOf(key, label)}` },
        ...(body === undefined ? {} : { body: json(body) }),
      }),
    read: (answer) => readPage(world, answer as Answer),
    op: () => toOp(key),
  }
}

const WAIT_S = 25

/**
 * The page has the current version. It gets its answer in a later step, unless the request itself changes the state.
 */
export function wait(world: World, m: State, instance: Instance, key: UserKey): Exchange {
  const known = userOf(m, key).version
  const until = world.time.clock() + WAIT_S * 1000
  return {
    instance,
    async send() {
      const page: WaitingPage = { key, known, until, instance, hangUp: () => {}, answer: undefined }
      const authorization = `Bearer ${await world.tokenOf(key, null)}`
      const headers = { authorization, 'if-none-match': `"${known}"`, prefer: `wait=${WAIT_S}` }
      const request = { method: 'GET', path: '/widget/binding', headers } as const
      world.pages.push(page)
      const answer = await instance.call(request, (hangUp) => {
        page.hangUp = hangUp
      })
      if (answer !== LOST) page.answer = answer
      return answer
    },
    read: (answer) => readPage(world, answer as Answer),
    op: () =>
      function* (s) {
        const view = yield* page.look(s, key)
        return view.version === known ? PARKED : view
      },
  }
}

export function readPage(world: World, { status, body }: Answer): Outcome {
  const { follow, ...value } = JSON.parse(String(body)) as Record<string, unknown>
  if (follow !== undefined && value.subscribed !== false)
    return { fault: 'the page of a follower displays the QR code for following the account' }
  if (status !== 200) return readRefusal(String(value.code), value.triesLeft)
  if (typeof value.url !== 'string') return { value }
  const { state, version, notice, url, oauth = false } = value
  if (oauth !== world.settings.hasOauth) return { fault: `the answer with a QR code has oauth: ${oauth}` }
  return {
    value: { state, scene: world.wechat.sceneOf(url as string), version, ...(notice === undefined ? {} : { notice }) },
  }
}
