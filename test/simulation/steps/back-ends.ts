/** The requests of back ends: calls of the encrypted API, and repeated calls. */
import type { Answer } from '../../../server/http/answer.ts'
import { openEnvelope } from '../../../server/keys/envelope.ts'
import type { Choose, Op } from '../model/explain.ts'
import { type State, tenantOf, ticketsOf, type UserKey, userOf } from '../model/state.ts'
import type { Instance } from '../world/instance.ts'
import { account, OLD_APP } from '../world/wechat.ts'
import { identityOf, type World } from '../world/world.ts'
import { type Exchange, type Outcome, readRefusal } from './exchange.ts'

export function call(
  world: World,
  instance: Instance,
  name: string,
  key: UserKey,
  fields: object,
  op: Exchange['op'],
  read: Exchange['read'] = (answer) => readCall(world, tenantOf(key), answer as Answer),
): Exchange {
  const { tenant, account: Account, userId: User_ID } = identityOf(key)
  const ids = Account === '' ? {} : { Account, User_ID }
  const jti = world.newJti()
  const date = Math.floor(world.time.clock() / 1000)
  const spending: Exchange['op'] = (how) =>
    function* (s, choose) {
      yield
      // From here on the server refuses the same request, even if the rest of this request fails.
      s.jtis.set(jti, (date + 600) * 1000)
      return yield* op(how)(s, choose)
    }
  const exchange: Exchange = {
    instance,
    async send() {
      const sealed = await world.sealCall(name, tenant, { jti, date }, { ...fields, ...ids })
      world.calls.push({ ...sealed, exchange })
      return post(instance, name, sealed.jwe)
    },
    read,
    op: spending,
  }
  return exchange
}

const post = (instance: Instance, name: string, jwe: string) =>
  instance.call({ method: 'POST', path: `/api/WeChat/${name}`, body: new TextEncoder().encode(jwe) })

const readCall = (world: World, tenant: string, answer: Answer): Promise<Outcome> =>
  readData(world, tenant, answer, (data: Record<string, unknown>) => toPlain(world, data))

/** Decrypts an answer and passes its `Data` to `toValue`. */
export async function readData<Data>(
  world: World,
  tenant: string,
  { body }: Answer,
  toValue: (data: Data) => unknown,
): Promise<Outcome> {
  const opened = await openEnvelope(String(body), undefined, () => ({ secret: world.secretFor(tenant) }))
  const { Success, Code, Data } = JSON.parse(opened.text) as { Success: boolean; Code: string; Data: Data }
  return Success ? { value: toValue(Data) } : readRefusal(Code)
}

/** Removes the values that the model cannot predict, such as texts of WeChat. */
function toPlain(world: World, data: Record<string, unknown>): unknown {
  if (typeof data.Url === 'string') return { scene: world.wechat.sceneOf(data.Url) }
  if ('Items' in data) return { items: (data.Items as Record<string, unknown>[]).map(toBindInfo) }
  if ('History' in data) return summary(data as unknown as Exported)
  return 'AppId' in data ? toBindInfo(data) : data
}

export function toBindInfo({ Account, User_ID, AppId, ...info }: Record<string, unknown>) {
  return { ...info, AppId: AppId === account.appId ? 'new' : AppId === OLD_APP ? 'old' : AppId }
}

type Exported = {
  Version: number
  Binding: { OpenId: string; UnionId: string | null; IsSubscribed: boolean; Label: string | null } | null
  History: { Type: string; Reason: string; Version: number }[]
  Tickets: { State: string; ScannedBy: string | null }[]
}

const summary = ({ Version, Binding, History, Tickets }: Exported) => ({
  Version,
  Binding: Binding && [Binding.OpenId, Binding.UnionId, Binding.IsSubscribed, Binding.Label],
  History: History.map(({ Type, Reason, Version: version }) => `${Type} ${Reason} ${version}`),
  Tickets: Tickets.map(({ State, ScannedBy }) => `${State} ${ScannedBy}`),
})

/**
 * The answer to ExportUser. The server deletes the events of an erased user at any time, the oldest first: the event of the erasure
 * after some seconds, and the others when the webhook has accepted them.
 */
export function exported(m: State, key: UserKey, choose: Choose) {
  const { version, bound, isKnown } = userOf(m, key)
  const events = m.events.filter(({ user }) => user === key)
  const erased = events.filter((event) => event.erased).length
  const tickets = ticketsOf(m, key).sort((a, b) => a.createdAt - b.createdAt || a.id - b.id)
  return {
    Version: version,
    Binding: bound && [bound.openid, bound.unionid, bound.subscribed, bound.label],
    History: events
      .slice(isKnown ? choose(erased + 1) : erased)
      .map((event) => `binding.${event.type} ${event.reason} ${event.version}`),
    Tickets: tickets.map(({ state, hold }) => `${state} ${hold?.openid ?? null}`),
  }
}

/** While the date of a request is valid, the server accepts the request only once. */
export function replay(world: World, m: State, instance: Instance, index: number): Exchange | undefined {
  const sealed = world.calls[world.calls.length - 1 - (index % Math.max(world.calls.length, 1))]
  if (!sealed) return undefined
  const { exchange, call: name, jwe, jti, date } = sealed
  const isStale = Math.abs(world.time.clock() / 1000 - date) > 300
  const code = isStale ? 'STALE_DATE' : 'REPLAYED'
  const refused: Op = function* () {
    yield
    return { code }
  }
  return {
    ...exchange,
    instance,
    send: () => post(instance, name, jwe),
    // If the store failed at the beginning of the earlier request, the server has not recorded it and accepts it now.
    op: isStale || m.jtis.has(jti) ? () => refused : exchange.op,
  }
}
