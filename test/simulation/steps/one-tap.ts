/** The requests of one tap inside WeChat. */
import type { Answer } from '../../../server/http/answer.ts'
import type { Op } from '../model/explain.ts'
import * as model from '../model/one-tap.ts'
import { type Answer as View, viewOf } from '../model/page.ts'
import { type UserKey, userOf } from '../model/state.ts'
import type { Instance } from '../world/instance.ts'
import { openids } from '../world/wechat.ts'
import { type Authorized, RETURN_URL, userKeys, type World } from '../world/world.ts'
import { type Exchange, keyOf, labels, later, type Outcome, readRefusal } from './exchange.ts'
import { onPage, readPage } from './pages.ts'
import type { RequestStep } from './requests.ts'

type OneTapStep = Extract<RequestStep, { do: 'authorize' | 'come_back' | 'prove' }>

/** Returns undefined if no page has started an authorization before. */
export function oneTap(world: World, instance: Instance, step: OneTapStep): Exchange | undefined {
  if (step.do === 'authorize') return authorize(world, instance, keyOf(step))
  // Most stories send a proof that exists.
  const proven = world.authorized.filter(({ proof }) => proof !== undefined)
  const authorized = step.do === 'prove' && proven.length > 0 ? proven : world.authorized
  const made = authorized[authorized.length - 1 - (step.pick % Math.max(authorized.length, 1))]
  if (!made) return undefined
  return step.do === 'come_back' ? comeBack(world, instance, step, made) : prove(world, instance, step, made)
}

function authorize(world: World, instance: Instance, key: UserKey): Exchange {
  const body = { return: RETURN_URL }
  const op: Op = (m) => model.startAuthorization(m, key)
  return {
    ...onPage(world, instance, key, 'POST', '/widget/oauth', body, () => op),
    read(answer) {
      const { status, body: text } = answer as Answer
      if (status !== 200) return readPage(world, answer as Answer)
      const { url } = JSON.parse(String(text)) as { url: string }
      const state = new URL(url).searchParams.get('state') ?? ''
      world.authorized.push({ key, state, hash: world.hashOfState(state), proof: undefined })
      return { value: { started: true } }
    },
  }
}

/** WeChat sends the browser of `phone` back to the server. */
function comeBack(
  world: World,
  instance: Instance,
  { phone, declines }: Extract<OneTapStep, { do: 'come_back' }>,
  made: Authorized,
): Exchange {
  const { state, hash, key } = made
  const code = declines ? undefined : world.wechat.newCode(openids[phone % openids.length]!)
  const search = `?${new URLSearchParams({ ...(code === undefined ? {} : { code }), state })}`
  const toOp: Exchange['op'] = ({ isPending }) =>
    function* (m) {
      const answer = yield* model.comeBack(m, hash, code !== undefined)
      if (answer !== 'exchanging' || code === undefined) return answer
      return isPending
        ? later({ key, resume: () => (s) => model.exchange(s, hash, code) })
        : yield* model.exchange(m, hash, code)
    }
  return {
    instance,
    send: () => instance.call({ method: 'GET', path: '/wechat/oauth', search }),
    read: (answer) => readReturn(made, answer as Answer),
    op: toOp,
  }
}

function readReturn(made: Authorized, { status, headers, body }: Answer): Outcome {
  if (status !== 303) {
    const [, code = ''] = /<p>([A-Z_]+)<\/p><\/html>/.exec(String(body).trim()) ?? []
    const read = readRefusal(code)
    return 'fault' in read || typeof read.value === 'symbol' ? read : { value: { page: code } }
  }
  const [page, fragment = ''] = String(headers.Location).split('#')
  if (page !== RETURN_URL) return { fault: 'the browser returns to another page' }
  const [, name, value = ''] = /^(wechat-bind(?:-error)?)=(.+)$/.exec(fragment) ?? []
  if (name !== 'wechat-bind') return readRefusal(value)
  if (!/^[\w-]{43}$/.test(value)) return { fault: 'the proof has another form' }
  made.proof = value
  return { value: { proof: true } }
}

/** `other` means that the page of another user sends the proof. */
function prove(
  world: World,
  instance: Instance,
  { other, label: labelIndex }: Extract<OneTapStep, { do: 'prove' }>,
  { key: owner, hash: made, proof }: Authorized,
): Exchange {
  // The browser has no proof if the server was killed before it answered.
  const [hash, sent] = proof === undefined ? ['none', 'A'.repeat(43)] : [made, proof]
  const key = other ? userKeys[(userKeys.indexOf(owner) + 1) % userKeys.length]! : owner
  const label = labels[labelIndex % labels.length] ?? null
  const view: Op = function* (m, choose) {
    yield
    m.learn(m, choose)
    return viewOf(m, key)
  }
  // The server reads the binding and then waits for the QR code for following the account, so the binding may have
  // changed before the answer. The answer has the version that was read.
  const viewBefore = (earlier: View[]): Op =>
    function* (m, choose) {
      const latest = yield* view(m, choose)
      const read = earlier.filter(
        ({ subscribed, version }) => subscribed === false && version !== userOf(m, key).version,
      )
      return [latest, ...read][choose(1 + read.length)]
    }
  const toOp: Exchange['op'] = ({ isPending }) =>
    function* (m, choose) {
      const refused = yield* model.prove(m, { hash, key, label })
      // The page waits for WeChat's answer, which says whether the user follows the account.
      if (refused) return refused
      if (!isPending) return yield* view(m, choose)
      const first = viewOf(m, key)
      return later({ key, resume: ({ views }) => viewBefore([first, ...views]) })
    }
  return {
    ...onPage(world, instance, key, 'POST', '/widget/oauth/confirm', { proof: sent }, () => view, label),
    op: toOp,
  }
}
