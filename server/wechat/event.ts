/** What a callback message says, in WeChat's words. */
import type { Fields } from './message.ts'

type Common = {
  openid: string
  /** WeChat's `CreateTime`, Unix seconds: to be compared with other `CreateTime`s only. */
  createTime: number
}

/** A follow's `scene` is what stood behind `qrscene_`; its `eventKey` is the key as sent, empty when WeChat lost the scene. */
export type WechatEvent =
  | (Common & { type: 'SCAN'; scene: string })
  | (Common & { type: 'subscribe'; scene: string | undefined; eventKey: string })
  | (Common & { type: 'unsubscribe' })
  | (Common & { type: 'text'; content: string; msgId: string })
  | { type: 'other' }

const other: WechatEvent = { type: 'other' }

// No id of WeChat's holds one, and PostgreSQL keeps no NUL.
const CONTROL = /\p{Cc}/u

/** `Event` is compared in any case: frameworks and old accounts differ. Anything not understood is `other`, never an error. */
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

/** Only `qrscene_` is a scene; a follow can also bear `last_trade_no_…`, `scanbarcode|…` or nothing. Cut once: scenes hold `_`. */
function sceneOfFollow(eventKey: string): string | undefined {
  return /^qrscene_./i.test(eventKey) ? eventKey.slice('qrscene_'.length) : undefined
}
