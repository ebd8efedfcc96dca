/**
 * The steps that send a request. Each step defines the request, how its answer is read, and the operation of the model.
 */
import { unbind as unbindUser } from '../../../server/binding/unbind.ts'
import type { Choose, Op } from '../model/explain.ts'
import * as page from '../model/page.ts'
import * as qrcode from '../model/qrcode.ts'
import { type State, tenantOf } from '../model/state.ts'
import type { Instance } from '../world/instance.ts'
import { identityOf, userKeys, type World } from '../world/world.ts'
import { call, exported, replay } from './back-ends.ts'
import { type ConsoleStep, onConsole } from './console.ts'
import { type Exchange, keyOf, labels, later } from './exchange.ts'
import { delivery, type sayings, toMessage } from './messages.ts'
import { oneTap } from './one-tap.ts'
import { importing, moving, onStore } from './operators.ts'
import { askedForDigits, digitsFor, onPage, wait } from './pages.ts'

export type RequestStep = { at: number } & (
  | { do: 'qr'; user: number; page: boolean; refresh: boolean; label: number }
  /** `wait` means that the request waits for a change. */
  | { do: 'wait' | 'look' | 'info' | 'infos' | 'erase' | 'export'; user: number }
  | { do: 'digits'; user: number; right: boolean }
  | { do: 'unbind'; user: number; by: 'widget' | 'disconnect' | 'operator' }
  /**
   * A WeChat user does something, and WeChat delivers the message at once. `pick` selects one of the QR codes, the
   * latest first.
   */
  | { do: 'say'; phone: number; what: (typeof sayings)[number]; pick: number }
  /** WeChat delivers an earlier message, for the first time or another time. */
  | { do: 'deliver'; message: number }
  /**
   * `isOld` means that the openid belongs to the account before its migration. `allow` has an effect only with
   * `CONFLICT=allow`.
   */
  | {
      do: 'import'
      lines: { user: number; phone: number; isOld?: boolean }[]
      conflict: 'reject' | 'skip' | 'replace' | 'allow'
    }
  /** `wechat-bind bindings move-openids`. */
  | { do: 'move'; isDryRun: boolean }
  /**
   * One tap inside WeChat: the page requests the URL, the browser returns from WeChat, and the page sends the proof.
   */
  | { do: 'authorize'; user: number }
  | { do: 'come_back'; phone: number; pick: number; declines: boolean }
  | { do: 'prove'; pick: number; other: boolean; label: number }
  | ConsoleStep
  /** Sends exactly the same request as in an earlier step. */
  | { do: 'replay'; call: number }
)

/** Returns undefined if the step is not possible now, for example a scan before the first QR code. */
export function toExchange(world: World, m: State, step: RequestStep): Exchange | undefined {
  const instance = world.at(step.at)
  switch (step.do) {
    case 'qr':
      return askQr(world, instance, step)
    case 'look':
      return onPage(
        world,
        instance,
        keyOf(step),
        'GET',
        '/widget/binding',
        undefined,
        (key) => (s) => page.look(s, key),
      )
    case 'wait':
      return wait(world, m, instance, keyOf(step))
    case 'digits': {
      const key = askedForDigits(m, keyOf(step))
      const code = digitsFor(m, key, step.right)
      return onPage(world, instance, key, 'POST', '/widget/confirm', { code }, () => (s) => page.digits(s, key, code))
    }
    case 'unbind':
      return unbind(world, instance, step)
    case 'info':
      return call(
        world,
        instance,
        'GetBindInfo',
        keyOf(step),
        { Action: 'Get' },
        () =>
          function* (s) {
            yield
            return page.bindInfoOf(s, keyOf(step))
          },
      )
    case 'infos': {
      const keys = userKeys.filter((key) => tenantOf(key) === tenantOf(keyOf(step)))
      const Users = keys.map(identityOf).map(({ account: Account, userId: User_ID }) => ({ Account, User_ID }))
      const fields = { Action: 'Get', Users }
      return call(
        world,
        instance,
        'GetBindInfos',
        `${tenantOf(keyOf(step))}//`,
        fields,
        () =>
          function* (s) {
            yield
            return { items: keys.map((key) => page.bindInfoOf(s, key)) }
          },
      )
    }
    case 'export':
      return call(
        world,
        instance,
        'ExportUser',
        keyOf(step),
        { Action: 'Get' },
        () =>
          function* (s, choose) {
            yield
            return exported(s, keyOf(step), choose)
          },
      )
    case 'erase':
      return call(
        world,
        instance,
        'EraseUser',
        keyOf(step),
        { Action: 'Update' },
        () => (s, choose) => page.erase(s, keyOf(step), choose),
      )
    case 'say': {
      const sent = toMessage(world, m, step)
      if (!sent) return undefined
      world.send(sent)
      return delivery(world, instance, sent)
    }
    case 'deliver': {
      const sent = world.sent[world.sent.length - 1 - (step.message % Math.max(world.sent.length, 1))]
      return sent && delivery(world, instance, sent)
    }
    case 'import':
      return importing(world, instance, step)
    case 'move':
      return moving(world, instance, step.isDryRun)
    case 'authorize':
    case 'come_back':
    case 'prove':
      return world.settings.hasOauth ? oneTap(world, instance, step) : undefined
    case 'sign_in':
    case 'sign_out':
    case 'console':
      return onConsole(world, instance, step)
    case 'replay':
      return replay(world, m, instance, step.call)
  }
}

const answerWith = (answer: unknown): Op =>
  function* () {
    yield
    return answer
  }

function askQr(world: World, instance: Instance, step: Extract<RequestStep, { do: 'qr' }>): Exchange {
  const key = keyOf(step)
  const label = labels[step.label % labels.length] ?? null
  const request: qrcode.QrRequest = { key, isRefresh: step.refresh, label, isPage: step.page }
  const toOp = ({ isPending, mayFail }: { isPending: boolean; mayFail: boolean }): Op =>
    function* (s: State, choose: Choose) {
      const started = yield* qrcode.startQr(s, { ...request, mayFail }, choose)
      // The page of a bound user also needs the QR code for following the account.
      if ('answer' in started)
        return isPending ? later({ key, resume: () => answerWith(started.answer) }) : started.answer
      if (!isPending) return yield* qrcode.finishQr(s, started.asked, choose)
      const { asked } = started
      return later({
        key,
        isJoined: asked.isJoined,
        resume: (how) => (state, chooseNow) =>
          qrcode.finishQr(
            state,
            { ...asked, latestEpoch: how.latestEpoch, request: { ...request, mayFail: how.mayFail } },
            chooseNow,
          ),
      })
    }
  if (step.page) {
    const exchange = onPage(
      world,
      instance,
      key,
      'POST',
      '/widget/qrcode',
      { refresh: step.refresh },
      () => toOp({ isPending: false, mayFail: false }),
      label,
    )
    return { ...exchange, op: toOp, only: key }
  }
  const fields = { Action: 'Get', IsRefresh: step.refresh, ...(label === null ? {} : { Label: label }) }
  return { ...call(world, instance, 'GetQrCode', key, fields, toOp), only: key }
}

function unbind(world: World, instance: Instance, step: Extract<RequestStep, { do: 'unbind' }>): Exchange {
  const key = keyOf(step)
  const op: Op = (s) => page.unbind(s, key, step.by)
  if (step.by === 'widget') return onPage(world, instance, key, 'DELETE', '/widget/binding', undefined, () => op)
  if (step.by === 'disconnect') return call(world, instance, 'Disconnect', key, { Action: 'Update' }, () => op)
  return onStore(
    instance,
    () => op,
    async () => {
      const { user } = await unbindUser(instance.deps, identityOf(key), 'operator')
      return { Version: user.version }
    },
  )
}
