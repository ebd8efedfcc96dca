/** A callback message as a typed event, with WeChat's names. */
import type { Fields } from './message.ts'

type Common = {
  openid: string
  /** WeChat's `CreateTime`, Unix seconds. Compared only with other `CreateTime`s, never with this server's clock. */
  createTime: number
}

/** `subscribe`: `scene` is the part of `eventKey` after `qrscene_`; `eventKey` is as sent, and empty when WeChat lost the scene. */
export type WechatEvent =
  | (Common & { type: 'SCAN'; scene: string })
  | (Common & { type: 'subscribe'; scene: string | undefined; eventKey: string })
  | (Common & { type: 'unsubscribe' })
  | (Common & { type: 'text'; content: string; msgId: string })
  | { type: 'other' }

const other: WechatEvent = { type: 'other' }

// No id of WeChat's contains a control character, and PostgreSQL cannot store NUL.
const CONTROL = /\p{Cc}/u

/** `Event` is compared without case, because accounts and frameworks differ. An unknown message is `other`, never an error. */
export function toEvent(fields: Fields): WechatEvent {
  const { FromUserName: openid, CreateTime = '', EventKey = '' } = fields
  if (!openid || !/^\d{1,12}$/.test(CreateTime) || CONTROL.test(openid + EventKey)) return other
  const common = { openid, createTime: Number(CreateTime) }
  const kind = fields.MsgType?.toLowerCase()
  if (kind === 'text') return { ...common, type: 'text', content: fields.Content ?? '', msgId: fields.MsgId ?? '' }
  return kind === 'event' ? toPush(common, fields) : other
}

function toPush(common: Common, { Event = '', EventKey = '' }: Fields): WechatEvent {
  switch (Event.toLowerCase()) {
    case 'scan':
      return EventKey ? { ...common, type: 'SCAN', scene: EventKey } : other
    case 'subscribe':
      return { ...common, type: 'subscribe', scene: sceneOfFollow(EventKey), eventKey: EventKey }
    case 'unsubscribe':
      return { ...common, type: 'unsubscribe' }
    default:
      return other
  }
}

/** Only a key with the prefix `qrscene_` has a scene; others are `last_trade_no_…`, `scanbarcode|…` or empty. A scene may contain `_`. */
function sceneOfFollow(eventKey: string): string | undefined {
  return /^qrscene_./i.test(eventKey) ? eventKey.slice('qrscene_'.length) : undefined
}
