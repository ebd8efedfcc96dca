/**
 * The steps that send a request. Each step defines the request, how its answer is read, and the operation of the model.
 */
import { importBatch } from '../../../server/binding/import.ts'
import { unbind as unbindUser } from '../../../server/binding/unbind.ts'
import type { Answer } from '../../../server/http/answer.ts'
import { openEnvelope } from '../../../server/keys/envelope.ts'
import { deliver, type Message } from '../model/chat.ts'
import type { Choose, Op } from '../model/explain.ts'
import * as page from '../model/page.ts'
import { holds, type State, tenantOf, ticketsOf, type UserKey, userOf } from '../model/state.ts'
import { type Instance, LOST } from '../world/instance.ts'
import { account, openids, readReply, seal } from '../world/wechat.ts'
import { identityOf, type Sent, userKeys, type WaitingPage, type World } from '../world/world.ts'

export const labels = [null, 'Li', 'Wu'] as const

export const sayings = [
  'scan',
  'subscribe',
  'follow',
  'follow_other',
  'unfollow',
  'revoke',
  'code',
  'wrong_code',
  'undo',
  'confirm',
  'tap',
] as const

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
  | { do: 'import'; lines: { user: number; phone: number }[]; conflict: 'reject' | 'skip' | 'replace' }
  /** Sends exactly the same request as in an earlier step. */
  | { do: 'replay'; call: number }
)

/** The server has answered with an error. */
export const FAILED = Symbol('failed')
/** There is no answer yet. */
export const PENDING = Symbol('pending')
/** The page waits for a change. */
export const PARKED = Symbol('parked')

/** The result in an answer, or the fault of the answer. */
export type Outcome = { value: unknown } | { fault: string }

export type Exchange = {
  instance: Instance
  send: () => Promise<Answer | typeof LOST | object>
  read: (answer: Answer | object) => Promise<Outcome> | Outcome
  /** `isPending` means that WeChat has not answered the server yet. `mayFail` means that the store may have failed. */
  op: (how: { isPending: boolean; mayFail: boolean }) => Op
  qr?: page.QrRequest
}

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
      const key = keyOf(step)
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
          function* (s) {
            yield
            return exported(s, keyOf(step))
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
    case 'replay':
      return replay(world, m, instance, step.call)
  }
}

export const keyOf = ({ user }: { user: number }): UserKey => userKeys[user % userKeys.length]!

function digitsFor(m: State, key: UserKey, right: boolean): string {
  const all = holds(ticketsOf(m, key)).flatMap(({ hold }) => (hold.digits === null ? [] : [hold.digits]))
  if (right) return all[0] ?? '0000'
  return ['1111', '2222', '3333', '4444'].find((digits) => !all.includes(digits))!
}

// Pages

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

function onPage(
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
function wait(world: World, m: State, instance: Instance, key: UserKey): Exchange {
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
  const value = JSON.parse(String(body)) as Record<string, unknown>
  if (status !== 200) return readRefusal(String(value.code), value.triesLeft)
  if (typeof value.url !== 'string') return { value }
  const { state, version, notice, url } = value
  return {
    value: { state, scene: world.wechat.sceneOf(url as string), version, ...(notice === undefined ? {} : { notice }) },
  }
}

/** `INTERNAL` is never a correct answer. */
function readRefusal(code: string, triesLeft?: unknown): Outcome {
  if (code === 'STORE_UNAVAILABLE') return { value: FAILED }
  if (code === 'INTERNAL') return { fault: 'the server answered INTERNAL' }
  if (code.startsWith('WECHAT_')) return { value: { code: 'WECHAT' } }
  return { value: { code, ...(triesLeft === undefined ? {} : { triesLeft }) } }
}

function askQr(world: World, instance: Instance, step: Extract<RequestStep, { do: 'qr' }>): Exchange {
  const key = keyOf(step)
  const label = labels[step.label % labels.length] ?? null
  const request: page.QrRequest = { key, isRefresh: step.refresh, label, isPage: step.page }
  const toOp = ({ isPending, mayFail }: { isPending: boolean; mayFail: boolean }): Op =>
    function* (s: State, choose: Choose) {
      const started = yield* page.startQr(s, { ...request, mayFail }, choose)
      if ('answer' in started) return started.answer
      return isPending ? started : yield* page.finishQr(s, started.asked, choose)
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
    return { ...exchange, op: toOp, qr: request }
  }
  const fields = { Action: 'Get', IsRefresh: step.refresh, ...(label === null ? {} : { Label: label }) }
  return { ...call(world, instance, 'GetQrCode', key, fields, toOp), qr: request }
}

function unbind(world: World, instance: Instance, step: Extract<RequestStep, { do: 'unbind' }>): Exchange {
  const key = keyOf(step)
  const op: Op = (s) => page.unbind(s, key, step.by)
  if (step.by === 'widget') return onPage(world, instance, key, 'DELETE', '/widget/binding', undefined, () => op)
  if (step.by === 'disconnect') return call(world, instance, 'Disconnect', key, { Action: 'Update' }, () => op)
  return onStore(instance, op, async () => {
    const { user } = await unbindUser(instance.deps, identityOf(key), 'operator')
    return { Version: user.version }
  })
}

// Back ends

export function call(
  world: World,
  instance: Instance,
  name: string,
  key: UserKey,
  fields: object,
  op: Exchange['op'],
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
    read: (answer) => readCall(world, tenant, answer as Answer),
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
  const { AppId, ...rest } = data
  return AppId === undefined || AppId === account.appId ? rest : data
}

const toBindInfo = ({ Account, User_ID, AppId, ...info }: Record<string, unknown>) => info

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

function exported(m: State, key: UserKey) {
  const { version, bound } = userOf(m, key)
  const tickets = ticketsOf(m, key).sort((a, b) => a.createdAt - b.createdAt || a.id - b.id)
  return {
    Version: version,
    Binding: bound && [bound.openid, bound.unionid, bound.subscribed, bound.label],
    History: m.events
      .filter(({ user }) => user === key)
      .map((event) => `binding.${event.type} ${event.reason} ${event.version}`),
    Tickets: tickets.map(({ state, hold }) => `${state} ${hold?.openid ?? null}`),
  }
}

/** While the date of a request is valid, the server accepts the request only once. */
function replay(world: World, m: State, instance: Instance, index: number): Exchange | undefined {
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

// Operators

/** A command of an operator. It uses the store directly. */
function onStore(instance: Instance, op: Op, run: () => Promise<object>): Exchange {
  const send = () =>
    run().catch((error: { code?: string }) => {
      if (error.code !== 'STORE_UNAVAILABLE') throw error
      return { failed: true }
    })
  return {
    instance,
    send: () => Promise.race([send(), instance.death]),
    read: (result) => ({ value: 'failed' in result ? FAILED : result }),
    op: () => op,
  }
}

function importing(world: World, instance: Instance, step: Extract<RequestStep, { do: 'import' }>): Exchange {
  const seen = new Set<UserKey>()
  const lines = step.lines
    .map(({ user, phone }) => ({ key: keyOf({ user }), openid: openids[phone % openids.length]!, label: null }))
    .filter(({ key }) => !seen.has(key) && seen.add(key))
  const now = world.time.clock()
  const bindings = lines.map(({ key, openid, label }) => ({
    identity: identityOf(key),
    binding: {
      appId: account.appId,
      openid,
      unionid: null,
      subscribed: true,
      boundAt: now,
      eventTime: Math.floor(now / 1000),
      label,
      lang: 'zh-CN' as const,
    },
  }))
  const op: Op = (s) => page.importLines(s, lines, step.conflict)
  return onStore(instance, op, async () => ({
    outcomes: await importBatch(instance.deps, bindings, { conflict: step.conflict, planned: undefined }),
  }))
}

// WeChat

function delivery(world: World, instance: Instance, { fields, message }: Sent): Exchange {
  return {
    instance,
    send: async () => {
      const { search, body } = seal(fields, world.time.clock())
      return instance.call({
        method: 'POST',
        path: '/wechat/callback',
        search,
        headers: { 'content-type': 'text/xml' },
        body,
      })
    },
    read(answer) {
      const { status, body } = answer as Answer
      if (status === 500) return { value: FAILED }
      if (status !== 200) return { fault: `a delivery got the status ${status}` }
      const read = readReply(message.openid, String(body))
      return 'fault' in read ? read : { value: read }
    },
    op: () => (s) => deliver(s, message),
  }
}

/** Returns the action of a WeChat user, both as WeChat's message and as a message of the model. */
export function toMessage(
  world: World,
  m: State,
  step: { phone: number; what: (typeof sayings)[number]; pick: number },
): Sent | undefined {
  const openid = openids[step.phone % openids.length]!
  const time = Math.floor(world.time.clock() / 1000)
  const common = { ToUserName: account.originalId, FromUserName: openid, CreateTime: time }
  const tickets = [...m.tickets.values()].reverse()
  const ticket = tickets[step.pick % Math.max(tickets.length, 1)]
  const event = (Event: string, EventKey: string, detail: string, rest: MessageRest): Sent => ({
    fields: { ...common, MsgType: 'event', Event, EventKey },
    message: { key: [time, account.appId, openid, Event, detail].join('|'), openid, time, ...rest } as Message,
  })
  const text = (Content: string, rest: MessageRest, more: Record<string, string> = {}): Sent => {
    const MsgId = `${world.sent.length + 1}`
    return {
      fields: { ...common, MsgType: 'text', Content, MsgId, ...more },
      message: { key: [time, account.appId, openid, 'text', MsgId].join('|'), openid, time, ...rest } as Message,
    }
  }
  switch (step.what) {
    case 'scan':
      return ticket && event('SCAN', ticket.scene, ticket.scene, { kind: 'scan', scene: ticket.scene })
    case 'subscribe':
      return (
        ticket &&
        event('subscribe', `qrscene_${ticket.scene}`, ticket.scene, { kind: 'subscribe', scene: ticket.scene })
      )
    case 'follow':
      return event('subscribe', '', '', { kind: 'follow', isLost: true })
    case 'follow_other':
      return event('subscribe', 'qrscene_shop', 'shop', { kind: 'follow', isLost: false })
    case 'unfollow':
      return event('unsubscribe', '', '', { kind: 'unfollow', erases: false })
    case 'revoke': {
      const sent = event('user_authorization_revoke', '', '', { kind: 'unfollow', erases: true })
      return { ...sent, fields: { ...sent.fields, FromUserName: 'platform', OpenID: openid } }
    }
    case 'code':
      return ticket && text(`绑定 ${ticket.code}`, { kind: 'code', code: ticket.code })
    case 'wrong_code':
      return text('绑定 22222222', { kind: 'code', code: '22222222' })
    case 'undo':
      return text('解绑', { kind: 'undo' })
    case 'confirm':
      return text('确认', { kind: 'confirm', question: undefined })
    case 'tap':
      return ticket && text('确认', { kind: 'confirm', question: ticket.id }, { bizmsgmenuid: `wb1_${ticket.id}` })
  }
}

type MessageRest = Record<string, unknown> & { kind: Message['kind'] }
