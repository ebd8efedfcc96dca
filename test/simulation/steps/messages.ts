/** The messages of WeChat users, and their deliveries. */
import type { Answer } from '../../../server/http/answer.ts'
import { deliver, isFollowing, type Message } from '../model/chat.ts'
import type { Op } from '../model/explain.ts'
import type { Reply, State } from '../model/state.ts'
import type { Instance } from '../world/instance.ts'
import { OLD_REPLY } from '../world/old-system.ts'
import { account, openids, readReply, seal } from '../world/wechat.ts'
import type { Sent, World } from '../world/world.ts'
import { type Exchange, FAILED, later } from './exchange.ts'

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
  'scan_early',
  'subscribe_early',
  'hello',
] as const

export function delivery(world: World, instance: Instance, { fields, message }: Sent): Exchange {
  const { forward, forwardsAll } = world.settings
  const oldMood = world.old.mood()
  let failuresBefore = 0
  const relay = (own: Reply): Op =>
    function* () {
      yield
      if (oldMood === 'replies') return { reply: 'of the old system' }
      return { reply: forward === 'hide' ? own : 'an error' }
    }
  const toOp: Exchange['op'] = ({ isPending }) =>
    function* (m, choose) {
      const { reply, isOurs } = yield* deliver(m, message)
      if (forward === 'off') return { reply }
      if (isOurs && !forwardsAll && !isFollowing(message)) return { reply }
      yield
      m.forwarded.push(message.key)
      if (isOurs) return { reply }
      return isPending && oldMood === 'hangs'
        ? later({ key: 'nobody', resume: () => relay(reply) })
        : yield* relay(reply)(m, choose) as Generator<void, unknown>
    }
  return {
    instance,
    send: async () => {
      const { search, body } = seal(fields, world.time.clock())
      world.old.noteSent(message.key, search, body)
      failuresBefore = instance.view.failures()
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
      if (status === 500) {
        const hasFailed = instance.view.failures() > failuresBefore
        return { value: hasFailed || forward !== 'retry' ? FAILED : { reply: 'an error' } }
      }
      if (status !== 200) return { fault: `a delivery got the status ${status}` }
      if (Buffer.from(body as Uint8Array).toString() === OLD_REPLY) return { value: { reply: 'of the old system' } }
      const read = readReply(message.openid, String(body))
      return 'fault' in read ? read : { value: read }
    },
    op: toOp,
    // A message that does not concern binding needs no store.
    *opWithoutStore(m, choose) {
      yield
      if (forward !== 'off' && choose(2) === 1) m.forwarded.push(message.key)
    },
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
    // A QR code that the server has requested in advance, and that no page displays.
    case 'scan_early': {
      const scene = unusedScene(world)
      return scene === undefined ? undefined : event('SCAN', scene, scene, { kind: 'scan', scene })
    }
    case 'subscribe_early': {
      const scene = unusedScene(world)
      if (scene === undefined) return undefined
      return event('subscribe', `qrscene_${scene}`, scene, { kind: 'subscribe', scene })
    }
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
    case 'hello':
      return text('你好', { kind: 'hello' })
    case 'confirm':
      return text('确认', { kind: 'confirm', question: undefined })
    case 'tap':
      return ticket && text('确认', { kind: 'confirm', question: ticket.id }, { bizmsgmenuid: `wb1_${ticket.id}` })
  }
}

const unusedScene = ({ wechat, given }: World) => [...wechat.made.keys()].find((scene) => !given.has(scene))

type MessageRest = Record<string, unknown> & { kind: Message['kind'] }
