/**
 * The phone of one person: the actions of the person (scan, follow, unfollow, write), the callbacks that WeChat sends
 * for these actions, and the chat.
 */
import { type Account, type Random, toOpenid, toUnionid } from './account.ts'
import type { ChangeListeners } from './change-listeners.ts'
import { type ChatMessage, createChat, FAULT_NOTICE, parseMenuLink } from './chat.ts'
import type { Deliver } from './delivery.ts'
import type { MessageFields } from './message.ts'
import { isExpired, type Qrcode, type Qrcodes } from './qrcodes.ts'
import type { Reply } from './reply.ts'
import type { ScanScreen } from './views.ts'

/** The state that is kept over a restart. */
export type PhoneMemory = { follow: Follow | null; messages: ChatMessage[] }

/** `scene` is the scene of the QR code that led to the follow, as in `user/info`. Later scans do not change it. */
type Follow = { at: number; scene: string | null }

// According to two independent reports, a follow after 5 minutes on the follow page has no scene, and a follow after 4
// minutes has a scene.
const SCENE_LOST_MS = 300_000

type PhoneDeps = {
  person: string
  account: Account
  qrcodes: Qrcodes
  deliver: Deliver
  clock: () => number
  random: Random
  changes: ChangeListeners
  remembered?: PhoneMemory | undefined
}

export type Phone = ReturnType<typeof createPhone>

export function createPhone(deps: PhoneDeps) {
  const { person, account, qrcodes, deliver, clock, random, changes, remembered } = deps
  const openid = toOpenid(account, person)
  // No person can have this name, because names contain no spaces.
  const platformOpenid = toOpenid(account, 'WeChat platform')
  const chat = createChat({ clock, remembered: remembered?.messages ?? [] })
  let follow: Follow | null = remembered?.follow ?? null
  /** The asynchronous context of the last scanned QR code. */
  let inContext: ReturnType<Qrcodes['contextOf']> = (run) => run()
  /** The scan that opened the follow page. */
  let pendingScan: { qrcode: Qrcode; at: number } | undefined

  /** The CreateTime (in seconds) of this person's last message, and all messages of that second. */
  let lastSecond = { second: 0, made: new Set<string>() }

  /**
   * Returns the CreateTime of a message. Servers detect a repeated delivery of an event by its CreateTime. If a test
   * triggers the same event twice within one second, the second event gets the next second as its CreateTime. The
   * server then does not treat it as a repetition.
   */
  function toCreateTime({ Event, EventKey, MsgId }: Record<string, string | number>): number {
    const one = JSON.stringify([Event, EventKey, MsgId])
    const now = Math.max(Math.floor(clock() / 1000), lastSecond.second)
    const second = now === lastSecond.second && lastSecond.made.has(one) ? now + 1 : now
    if (second > lastSecond.second) lastSecond = { second, made: new Set() }
    lastSecond.made.add(one)
    return second
  }

  async function push(MsgType: string, fields: Record<string, string | number>): Promise<Reply> {
    const CreateTime = toCreateTime(fields)
    const message: MessageFields = {
      ToUserName: account.originalId,
      FromUserName: openid,
      CreateTime,
      MsgType,
      ...fields,
    }
    const reply = await inContext(() => deliver(message))
    // After an unfollow the chat displays no reply.
    if (follow && reply.kind === 'text') chat.add('account', reply.content)
    if (follow && reply.kind === 'fault') chat.add('wechat', FAULT_NOTICE)
    changes.notify()
    return reply
  }

  /** The sender of this event is an openid of the platform. The field `OpenID` contains the person's openid. */
  const pushByPlatform = ({ Event, ...more }: { Event: string; RevokeInfo?: string }): Promise<Reply> =>
    push('event', { FromUserName: platformOpenid, Event, OpenID: openid, AppID: account.appId, ...more })

  /**
   * Returns the scanned QR code for the follow event. Returns undefined after 5 minutes on the follow page, or without
   * a scan.
   */
  function takePendingScan(lingeredMs: number): Qrcode | undefined {
    const taken = pendingScan
    pendingScan = undefined
    return taken && clock() - taken.at + lingeredMs < SCENE_LOST_MS ? taken.qrcode : undefined
  }

  /** As in WeChat, ids are above 2^53. A server that parses an id as a JavaScript number loses the last digits. */
  const toMsgId = () => String(9_007_199_254_740_993n + random(8).readBigUInt64BE() / 4n)

  function write(content: string, more: Record<string, string> = {}): Promise<Reply> {
    if (!follow) throw new Error(`${person} does not follow the account and cannot write to it`)
    chat.add('person', content)
    changes.notify()
    return push('text', { Content: content, MsgId: toMsgId(), ...more })
  }

  async function followNow(lingeredMs = 0): Promise<Reply | undefined> {
    if (follow) return undefined
    const qrcode = takePendingScan(lingeredMs)
    follow = { at: clock(), scene: qrcode?.scene ?? null }
    changes.notify()
    const scanned = qrcode && { EventKey: `qrscene_${qrcode.scene}`, Ticket: qrcode.ticket }
    return push('event', { Event: 'subscribe', ...(scanned ?? { EventKey: '' }) })
  }

  /** Scans a QR code (by default the newest). Returns the screen at once, and a promise for the callback's reply. */
  function point(url?: string): { screen: ScanScreen; delivered: Promise<Reply | undefined> } {
    const qrcode = url === undefined ? qrcodes.newest() : qrcodes.find(url)
    pendingScan = undefined
    const nothing = Promise.resolve(undefined)
    if (!qrcode) return { screen: 'unknown', delivered: nothing }
    if (isExpired(qrcode, clock())) return { screen: 'expired', delivered: nothing }
    inContext = qrcodes.contextOf(qrcode)
    if (follow) {
      const { scene, ticket } = qrcode
      return { screen: 'chat', delivered: push('event', { Event: 'SCAN', EventKey: scene, Ticket: ticket }) }
    }
    pendingScan = { qrcode, at: clock() }
    return { screen: 'follow', delivered: nothing }
  }

  return {
    person,
    openid,
    unionid: toUnionid(person),
    point,
    /** Scans a QR code (by default the newest) and waits for the callback. With `follow: true`, it also taps the button "Follow" if WeChat shows it. */
    async scan(url?: string, { follow: willFollow = false } = {}): Promise<ScanScreen> {
      const { screen, delivered } = point(url)
      await delivered
      if (screen !== 'follow' || !willFollow) return screen
      await followNow()
      return 'chat'
    },
    /**
     * Taps "Follow" on the page that a scan opened, or on the account's profile. `lingeredMs` is added to the time that
     * the person has spent on that page.
     */
    follow: ({ lingeredMs = 0 } = {}): Promise<Reply | undefined> => followNow(lingeredMs),
    /** Unfollows the account and deletes the chat. */
    async unfollow(): Promise<Reply | undefined> {
      if (!follow) return undefined
      follow = null
      chat.clear()
      changes.notify()
      return push('event', { Event: 'unsubscribe', EventKey: '' })
    },
    /** Closes the WeChat account. WeChat reports this with `user_authorization_cancellation`. */
    async closeAccount(): Promise<Reply> {
      follow = null
      chat.clear()
      changes.notify()
      return pushByPlatform({ Event: 'user_authorization_cancellation' })
    },
    /**
     * Withdraws the authorization to use the nickname and the picture (205). WeChat reports this with
     * `user_authorization_revoke`. The person still follows the account.
     */
    revokeAuthorization: (): Promise<Reply> =>
      pushByPlatform({ Event: 'user_authorization_revoke', RevokeInfo: '205' }),
    async sendText(content: string): Promise<Reply> {
      return write(content)
    },
    /** Taps a `weixin://bizmsgmenu` link, which sends its text as a message of the person. */
    async tap(href: string): Promise<Reply> {
      const link = parseMenuLink(href)
      if (!link) throw new TypeError('only a weixin://bizmsgmenu link with msgmenucontent sends a message when tapped')
      return write(link.content, { bizmsgmenuid: link.menuId })
    },
    get chat(): readonly ChatMessage[] {
      return chat.all()
    },
    get following(): Follow | null {
      return follow
    },
    memory: (): PhoneMemory => ({ follow, messages: [...chat.all()] }),
  }
}
