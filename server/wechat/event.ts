/** Converts a callback message to a typed event that keeps WeChat's names. */
import type { Fields } from './message.ts'

type Common = {
  openid: string
  /** WeChat's `CreateTime`, Unix seconds. Compared only with other `CreateTime`s, never with this server's clock. */
  createTime: number
}

/**
 * The user closed the WeChat account, or withdrew the authorization of the Official Account. WeChat documents both under
 * "授权用户信息变更": https://developers.weixin.qq.com/doc/service/guide/h5/authorization_change
 */
export type AuthorizationEnd = (typeof authorizationEnds)[number]

const authorizationEnds = ['user_authorization_cancellation', 'user_authorization_revoke'] as const

/**
 * In `subscribe`, `eventKey` is the value as sent, which is empty when WeChat lost the scene; `scene` is its part after `qrscene_`.
 * In `text`, `menuId` is `bizmsgmenuid`, the `msgmenuid` of the tapped link; it is undefined for a typed message.
 */
export type WechatEvent =
  | (Common & { type: 'SCAN'; scene: string })
  | (Common & { type: 'subscribe'; scene: string | undefined; eventKey: string })
  | (Common & { type: 'unsubscribe' })
  | (Common & { type: AuthorizationEnd })
  | (Common & { type: 'text'; content: string; msgId: string; menuId: string | undefined })
  | { type: 'other' }

const other: WechatEvent = { type: 'other' }

// WeChat's ids contain no such character. PostgreSQL cannot store NUL, and a lone surrogate cannot be sent in a URL.
const CONTROL_OR_LONE_SURROGATE = /[\p{Cc}\p{Cs}]/u

/** The case of `Event` is ignored, because accounts and frameworks differ. An unknown message becomes `other`, without an error. */
export function toEvent(fields: Fields): WechatEvent {
  const { MsgType = '', Event = '', CreateTime = '', EventKey = '' } = fields
  const kind = MsgType.toLowerCase()
  const authorizationEnd = authorizationEnds.find((type) => kind === 'event' && type === Event.toLowerCase())
  // The sender of these two events is WeChat's platform. The user is in `OpenID`.
  const openid = authorizationEnd ? fields.OpenID : fields.FromUserName
  if (!openid || !/^\d{1,12}$/.test(CreateTime) || CONTROL_OR_LONE_SURROGATE.test(openid + EventKey)) return other
  const common = { openid, createTime: Number(CreateTime) }
  if (authorizationEnd) return { ...common, type: authorizationEnd }
  if (kind === 'text') {
    const { Content: content = '', MsgId: msgId = '', bizmsgmenuid: menuId } = fields
    return { ...common, type: 'text', content, msgId, menuId }
  }
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

/**
 * Only a key with the prefix `qrscene_` has a scene, which may contain `_`. Other keys are `last_trade_no_…`, `scanbarcode|…` or
 * empty.
 */
function sceneOfFollow(eventKey: string): string | undefined {
  return /^qrscene_./i.test(eventKey) ? eventKey.slice('qrscene_'.length) : undefined
}
