/** The simulated WeChat: an API that works or fails, and the messages of WeChat users. */

import { randomBytes } from 'node:crypto'
import { type Account, createAccount, toOpenid, toUnionid } from '../../../demo/simulator/account.ts'
import { type MessageFields, sealMessage } from '../../../demo/simulator/message.ts'
import { openReply } from '../../../demo/simulator/reply.ts'
import { replyNames } from '../../../server/binding/replies.ts'
import type { Fetch } from '../../../server/platform.ts'
import type { Reply } from '../model/state.ts'

export const troubles = ['up', 'down', 'error', 'busy', 'forbidden', 'quota', 'slow'] as const
export type Trouble = (typeof troubles)[number]

const errcodes: Partial<Record<Trouble, number>> = { busy: -1, forbidden: 48001, quota: 45009 }

export const people = ['amy', 'bo', 'cy']

// The account is always the same, so that every run has the same ids and many runs can use one store.
export const account: Account = createAccount({ appId: 'wx0123456789abcdef', appSecret: 'f'.repeat(32) }, randomBytes)
export const openids = people.map((person) => toOpenid(account, person))
const unionids = new Map(people.map((person) => [toOpenid(account, person), toUnionid(person)]))
export const unionidOf = (openid: string) => unionids.get(openid)

const json = (value: unknown) => new Response(JSON.stringify(value))

type HeldAnswer = { answer: () => void }

export type Wechat = ReturnType<typeof createWechat>

export function createWechat({ hasUnionid }: { hasUnionid: boolean }) {
  let trouble: Trouble = 'up'
  let held: HeldAnswer[] = []
  let heldInfos: (() => void)[] | undefined
  let qrcodes = 0
  const follows = new Map<string, boolean>()
  /** The scenes of the QR codes that WeChat has created in this step. */
  let offered: string[] = []
  const sceneByUrl = new Map<string, string>()

  const infoOf = (openid: string) => ({
    subscribe: follows.get(openid) === false ? 0 : 1,
    openid,
    ...(hasUnionid ? { unionid: unionids.get(openid) } : {}),
  })

  function answer(path: string, url: URL, body: unknown): Response {
    if (path === '/cgi-bin/stable_token') return json({ access_token: 'token-of-the-simulation', expires_in: 7200 })
    if (path === '/cgi-bin/user/info') return json(infoOf(url.searchParams.get('openid') ?? ''))
    if (path === '/cgi-bin/user/info/batchget') {
      const { user_list } = body as { user_list: { openid: string }[] }
      return json({ user_info_list: user_list.map(({ openid }) => infoOf(openid)) })
    }
    const asked = body as { expire_seconds: number; action_info: { scene: { scene_str: string } } }
    const scene = asked.action_info.scene.scene_str
    const qrUrl = `http://weixin.qq.com/q/${++qrcodes}`
    sceneByUrl.set(qrUrl, scene)
    offered.push(scene)
    return json({ ticket: `ticket-${qrcodes}`, expire_seconds: asked.expire_seconds, url: qrUrl })
  }

  const fetch: Fetch = (input, init) => {
    const url = new URL(input)
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
    const reply = () => answer(url.pathname, url, body)
    if (trouble === 'down') return Promise.reject(new TypeError('fetch failed'))
    if (trouble === 'error') return Promise.resolve(new Response('bad gateway', { status: 502 }))
    const errcode = errcodes[trouble]
    if (errcode !== undefined) return Promise.resolve(json({ errcode, errmsg: 'refused' }))
    if (trouble === 'up') {
      const infos = url.pathname.startsWith('/cgi-bin/user/') ? heldInfos : undefined
      return infos ? new Promise((resolve) => infos.push(() => resolve(reply()))) : Promise.resolve(reply())
    }
    return new Promise((resolve, reject) => {
      const waiting = { answer: () => resolve(reply()) }
      held.push(waiting)
      init?.signal?.addEventListener('abort', () => {
        held = held.filter((each) => each !== waiting)
        reject(init.signal?.reason)
      })
    })
  }

  return {
    fetch,
    sceneOf: (url: string) => sceneByUrl.get(url),
    /**
     * Returns whether the WeChat user follows the account. WeChat's API knows this before the message of the follow
     * arrives.
     */
    follows: (openid: string) => follows.get(openid) ?? true,
    setFollows(openid: string, isFollower: boolean): void {
      follows.set(openid, isFollower)
    },
    trouble: () => trouble,
    /** Sends the answers that were held while WeChat was slow. */
    setTrouble(next: Trouble): void {
      trouble = next
      if (next === 'slow') return
      const late = held
      held = []
      for (const { answer } of late) answer()
    },
    /** Holds the answers with unionids until the requests of a step have ended. The model then knows the order. */
    holdInfos(): void {
      heldInfos ??= []
    },
    /** Sends the held answers with unionids. Returns whether there were any. */
    releaseInfos(): boolean {
      const late = heldInfos ?? []
      heldInfos = undefined
      for (const answer of late) answer()
      return late.length > 0
    },
    takeOffered(): string[] {
      const taken = offered
      offered = []
      return taken
    },
  }
}

/** Creates one delivery of a message. Each delivery is encrypted and signed separately. */
export function seal(fields: MessageFields, now: number): { search: string; body: Uint8Array<ArrayBuffer> } {
  const { query, body } = sealMessage(account, fields, now, randomBytes)
  return { search: `?${new URLSearchParams(query)}`, body: new TextEncoder().encode(body) }
}

/**
 * The texts of all replies. A text contains the name of the reply, the label, the digits and the link, so that the
 * simulation can parse the chat.
 */
export const replyTexts = Object.fromEntries(
  replyNames.map((name) => [`REPLY_${name.toUpperCase()}`, `${name}|{label}|{digits}|{confirm}`]),
)

/** Returns the reply in the chat, or the fault of the server's answer. */
export function readReply(openid: string, body: string): { reply: Reply } | { fault: string } {
  const opened = openReply(account, openid, { status: 200, body })
  if (opened.kind === 'fault') return { fault: opened.reason }
  if (opened.kind === 'silent') return { reply: null }
  const [name = '', label = '', digits = ''] = opened.content.split('|')
  const quoted = /^[“「](.*)[”」]$/.exec(label)?.[1] ?? null
  return { reply: { name, label: quoted, ...(digits === '' ? {} : { digits }) } }
}
