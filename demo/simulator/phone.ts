/** One person's phone: what scanning, following, leaving and writing make WeChat push, and what the person then sees. */
import { type Account, type Random, toOpenid, toUnionid } from './account.ts'
import type { Changes } from './change-listeners.ts'
import { type ChatMessage, createChat, FAULT_NOTICE, parseMenuLink } from './chat.ts'
import type { Deliver } from './delivery.ts'
import type { MessageFields } from './message.ts'
import { isExpired, type Qrcode, type Qrcodes } from './qrcodes.ts'
import type { Reply } from './reply.ts'

/** Where a scan leads: the chat, the follow page, or a notice that the code is over or not WeChat's. */
export type ScanScreen = 'chat' | 'follow' | 'expired' | 'unknown'

/** What survives a restart. */
export type PhoneMemory = { follow: Follow | null; messages: ChatMessage[] }

/** `scene`: of the QR that the follow came from, as `user/info` tells it; later scans do not change it. */
type Follow = { at: number; scene: string | null }

// Two people report it and nobody denies it: after 5 minutes on the follow page the scene is gone, at 4 it is not.
const SCENE_LOST_MS = 300_000

type PhoneDeps = {
  person: string
  account: Account
  qrcodes: Qrcodes
  deliver: Deliver
  clock: () => number
  random: Random
  changes: Changes
  remembered?: PhoneMemory | undefined
}

export type Phone = ReturnType<typeof createPhone>

export function createPhone(deps: PhoneDeps) {
  const { person, account, qrcodes, deliver, clock, random, changes, remembered } = deps
  const openid = toOpenid(account, person)
  const chat = createChat({ clock, remembered: remembered?.messages ?? [] })
  let follow: Follow | null = remembered?.follow ?? null
  /** The scan that opened the follow page. */
  let visit: { qrcode: Qrcode; at: number } | undefined

  /** The second in which this person's last message was made, and the messages made in it. */
  let latest = { second: 0, made: new Set<string>() }

  /**
   * The second of now. An event is told from its repetition by nothing else: whose hands are a test's and do the same twice
   * within one second gets the next one, as a person's would.
   */
  function toCreateTime({ Event, EventKey, MsgId }: Record<string, string | number>): number {
    const one = JSON.stringify([Event, EventKey, MsgId])
    const now = Math.max(Math.floor(clock() / 1000), latest.second)
    const second = now === latest.second && latest.made.has(one) ? now + 1 : now
    if (second > latest.second) latest = { second, made: new Set() }
    latest.made.add(one)
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
    const reply = await deliver(message)
    // Who has left sees no reply any more.
    if (follow && reply.kind === 'text') chat.add('account', reply.content)
    if (follow && reply.kind === 'fault') chat.add('wechat', FAULT_NOTICE)
    changes.notify()
    return reply
  }

  /** The scene and ticket that a follow carries: none after 5 minutes on the page, or when nothing was scanned. */
  function takeVisit(lingeredMs: number): Qrcode | undefined {
    const taken = visit
    visit = undefined
    return taken && clock() - taken.at + lingeredMs < SCENE_LOST_MS ? taken.qrcode : undefined
  }

  /** Beyond 2^53, as WeChat's are: a client that parses it as a number loses its last digits. */
  const toMsgId = () => String(9_007_199_254_740_993n + random(8).readBigUInt64BE() / 4n)

  function write(content: string, more: Record<string, string> = {}): Promise<Reply> {
    if (!follow) throw new Error(`${person} does not follow the account and cannot write to it`)
    chat.add('person', content)
    changes.notify()
    return push('text', { Content: content, MsgId: toMsgId(), ...more })
  }

  async function followNow(lingeredMs = 0): Promise<Reply | undefined> {
    if (follow) return undefined
    const qrcode = takeVisit(lingeredMs)
    follow = { at: clock(), scene: qrcode?.scene ?? null }
    changes.notify()
    const scanned = qrcode && { EventKey: `qrscene_${qrcode.scene}`, Ticket: qrcode.ticket }
    return push('event', { Event: 'subscribe', ...(scanned ?? { EventKey: '' }) })
  }

  /** Points the camera at a code, or at the one that was made last: where that leads at once, and the push that follows from it. */
  function point(url?: string): { screen: ScanScreen; delivered: Promise<Reply | undefined> } {
    const qrcode = url === undefined ? qrcodes.newest() : qrcodes.find(url)
    visit = undefined
    const nothing = Promise.resolve(undefined)
    if (!qrcode) return { screen: 'unknown', delivered: nothing }
    if (isExpired(qrcode, clock())) return { screen: 'expired', delivered: nothing }
    if (follow) {
      const { scene, ticket } = qrcode
      return { screen: 'chat', delivered: push('event', { Event: 'SCAN', EventKey: scene, Ticket: ticket }) }
    }
    visit = { qrcode, at: clock() }
    return { screen: 'follow', delivered: nothing }
  }

  return {
    person,
    openid,
    unionid: toUnionid(person),
    point,
    /** Scans a code (without `url`: the one made last) and waits until WeChat is done; with `follow`, a newcomer follows too. */
    async scan(url?: string, { follow: willFollow = false } = {}): Promise<ScanScreen> {
      const { screen, delivered } = point(url)
      await delivered
      if (screen !== 'follow' || !willFollow) return screen
      await followNow()
      return 'chat'
    },
    /**
     * Taps "follow" on the page that a scan opened, or, without one, on the account's profile. `lingeredMs`: as if the
     * person had stayed on that page so much longer.
     */
    follow: ({ lingeredMs = 0 } = {}): Promise<Reply | undefined> => followNow(lingeredMs),
    /** Leaves the account; the chat goes with it. */
    async unfollow(): Promise<Reply | undefined> {
      if (!follow) return undefined
      follow = null
      chat.clear()
      changes.notify()
      return push('event', { Event: 'unsubscribe', EventKey: '' })
    },
    async sendText(content: string): Promise<Reply> {
      return write(content)
    },
    /** Taps a `weixin://bizmsgmenu` link: its text is sent as the person's own. */
    async tap(href: string): Promise<Reply> {
      const link = parseMenuLink(href)
      if (!link) throw new TypeError('only a weixin://bizmsgmenu link with msgmenucontent sends something')
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
