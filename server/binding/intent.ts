/** Decides whether an event is about binding, and which intent it has. Needs the event and the configuration, not the store. */
import type { WechatEvent } from '../wechat/event.ts'
import type { Claim, Rules } from './decision.ts'
import { FOLLOW_SCENE } from './follow-qr.ts'
import { commands, questionOf } from './replies.ts'
import { SCENE_PREFIX } from './ticket.ts'

/** The request in an event. `key` is the scene, or the code of the text path. `question` is the ticket that a tapped link names. */
export type Intent =
  | { type: 'claim'; claim: Omit<Claim, 'delivery'>; key: string }
  | { type: 'follow'; openid: string; createTime: number; isSceneLost: boolean }
  /** `erases` ends the bindings even if `UNSUBSCRIBE` is `mark`. */
  | { type: 'unfollow'; openid: string; createTime: number; erases?: true }
  | { type: 'confirm'; openid: string; createTime: number; question: number | undefined }
  | { type: 'undo'; openid: string; createTime: number }

/** Returns undefined for an event that is not about binding. */
export function toIntent(event: WechatEvent, appId: string, rules: Rules): Intent | undefined {
  switch (event.type) {
    case 'SCAN':
      // A user whose scan shows no follow page already follows the account.
      if (event.scene === FOLLOW_SCENE) return { ...pick(event), type: 'follow', isSceneLost: false }
      return isOurs(event.scene)
        ? { type: 'claim', claim: { ...pick(event), via: 'SCAN', appId }, key: event.scene }
        : undefined
    case 'subscribe':
      return toFollowIntent(event, appId, rules)
    case 'unsubscribe':
      return { ...pick(event), type: 'unfollow' }
    case 'user_authorization_cancellation':
    case 'user_authorization_revoke':
      return { ...pick(event), type: 'unfollow', erases: true }
    case 'text':
      return toChatIntent(event, appId, rules)
    case 'other':
      return undefined
  }
}

const isOurs = (scene: string) => scene.startsWith(SCENE_PREFIX)

const pick = ({ openid, createTime }: { openid: string; createTime: number }) => ({ openid, createTime })

/**
 * WeChat may lose the scene of a new follower, so a follow without a scene may be about binding. A follow with the scene of
 * another system is about binding only if there may be bindings of users who do not follow (`UNSUBSCRIBE=mark`, `WECHAT_OAUTH=on`).
 */
function toFollowIntent(
  event: Extract<WechatEvent, { type: 'subscribe' }>,
  appId: string,
  rules: Rules,
): Intent | undefined {
  const { scene } = event
  if (scene !== undefined && isOurs(scene)) {
    return { type: 'claim', claim: { ...pick(event), via: 'subscribe', appId }, key: scene }
  }
  const isSceneLost = event.eventKey === ''
  return isSceneLost || rules.unsubscribe === 'mark' || rules.oauth
    ? { ...pick(event), type: 'follow', isSceneLost }
    : undefined
}

function toChatIntent(event: Extract<WechatEvent, { type: 'text' }>, appId: string, rules: Rules): Intent | undefined {
  const content = event.content.trim()
  const code = commands.bind.exec(content)?.[1]?.toUpperCase()
  if (code) return { type: 'claim', claim: { ...pick(event), via: 'text', appId }, key: code }
  if (rules.confirm === 'reply' && commands.confirm.test(content)) return toConfirmIntent(event)
  return commands.unbind.test(content) ? { ...pick(event), type: 'undo' } : undefined
}

/** A tap on the link of another system is not about binding, even if the tap sends one of the words of this server. */
function toConfirmIntent(event: Extract<WechatEvent, { type: 'text' }>): Intent | undefined {
  if (event.menuId === undefined) return { ...pick(event), type: 'confirm', question: undefined }
  const question = questionOf(event.menuId)
  return question === undefined ? undefined : { ...pick(event), type: 'confirm', question }
}

/**
 * The key of a delivery. It is made from the fields of the event, because an event has no id. The last field of the key
 * (`deliveryDetail`) distinguishes two events of the same second. The key begins with the time, and so does its `Tx.fingerprint`,
 * so that recent rows are adjacent in the index.
 */
export function deliveryKeyOf(event: Exclude<WechatEvent, { type: 'other' }>, appId: string): string {
  return [event.createTime, appId, event.openid, event.type, deliveryDetail(event)].join('|')
}

function deliveryDetail(event: Exclude<WechatEvent, { type: 'other' }>): string {
  if (event.type === 'text') return event.msgId || event.content
  return 'scene' in event ? (event.scene ?? '') : ''
}
