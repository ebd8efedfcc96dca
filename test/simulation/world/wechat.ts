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
/** The AppID of the account before its migration. */
export const OLD_APP = 'wxfedcba9876543210'
/** The openids of `people` at the old account. WeChat has no new openid for the last one. */
export const oldOpenids = openids.map((openid) => `old${openid.slice(3)}`)
export const newOpenidOf = (old: string): string | undefined => openids.slice(0, -1)[oldOpenids.indexOf(old)]

const unionids = new Map(people.map((person) => [toOpenid(account, person), toUnionid(person)]))
export const unionidOf = (openid: string) => unionids.get(openid)

const json = (value: unknown) => new Response(JSON.stringify(value))

type HeldAnswer = { answer: () => void }

export type Wechat = ReturnType<typeof createWechat>

export function createWechat({ hasUnionid }: { hasUnionid: boolean }, clock: () => number) {
  let trouble: Trouble = 'up'
  let held: HeldAnswer[] = []
  let heldInfos: (() => void)[] | undefined
  let qrcodes = 0
  const follows = new Map<string, boolean>()
  /** The scenes of the QR codes that WeChat has created in this step. */
  let offered: string[] = []
  const made = new Map<string, { at: number; lastsMs: number }>()
  /** The codes of web authorizations that WeChat has not exchanged yet. */
  const codes = new Map<string, string>()
  let codesMade = 0
  let hasChanged = false
  let exchanged = new Map<string, string>()
  const sceneByUrl = new Map<string, string>()
  let step = 0
  /**
   * The openids that follow the account according to WeChat's answers in this step. The values are the steps in which
   * the server sent the requests.
   */
  let toldFollowers: { openid: string; askedIn: number }[] = []

  const infoOf = (openid: string) => ({
    subscribe: isFollower(openid) ? 1 : 0,
    openid,
    ...(hasUnionid ? { unionid: unionids.get(openid) } : {}),
  })

  const isFollower = (openid: string) => follows.get(openid) ?? true

  /** The state of the users at the time of the request. The answer may arrive later. */
  function answerInfos(path: string, url: URL, body: unknown): () => Response {
    const isOne = path === '/cgi-bin/user/info'
    const openids = isOne
      ? [url.searchParams.get('openid') ?? '']
      : (body as { user_list: { openid: string }[] }).user_list.map(({ openid }) => openid)
    // WeChat refuses the whole request if it does not know one of the users.
    if (openids.some((openid) => !unionids.has(openid))) return () => json({ errcode: 40003, errmsg: 'invalid openid' })
    const infos = openids.map(infoOf)
    const followers = openids.filter(isFollower).map((openid) => ({ openid, askedIn: step }))
    return () => {
      toldFollowers.push(...followers)
      return json(isOne ? infos[0] : { user_info_list: infos })
    }
  }

  function exchange(code: string): Response {
    const openid = codes.get(code)
    if (openid === undefined) return json({ errcode: 40029, errmsg: 'invalid code' })
    codes.delete(code)
    exchanged.set(code, openid)
    return json({ access_token: 'of the page', openid, scope: 'snsapi_base' })
  }

  function changeOpenids(olds: string[]): Response {
    hasChanged = true
    const result_list = olds.map((ori_openid) => {
      const new_openid = newOpenidOf(ori_openid)
      return new_openid ? { ori_openid, new_openid, err_msg: 'ok' } : { ori_openid, err_msg: 'ori_openid error' }
    })
    return json({ errcode: 0, errmsg: 'ok', result_list })
  }

  function answer(path: string, url: URL, body: unknown): Response {
    if (path === '/sns/oauth2/access_token') return exchange(url.searchParams.get('code') ?? '')
    if (path === '/cgi-bin/changeopenid') return changeOpenids((body as { openid_list: string[] }).openid_list)
    if (path === '/cgi-bin/stable_token') return json({ access_token: 'token-of-the-simulation', expires_in: 7200 })
    const asked = body as { expire_seconds: number; action_info: { scene: { scene_str: string } } }
    const scene = asked.action_info.scene.scene_str
    const qrUrl = `http://weixin.qq.com/q/${++qrcodes}`
    sceneByUrl.set(qrUrl, scene)
    // The QR code for following the account belongs to no ticket.
    if (scene.startsWith('wb1_')) {
      offered.push(scene)
      made.set(scene, { at: clock(), lastsMs: asked.expire_seconds * 1000 })
    }
    return json({ ticket: `ticket-${qrcodes}`, expire_seconds: asked.expire_seconds, url: qrUrl })
  }

  const fetch: Fetch = (input, init) => {
    const url = new URL(input)
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined
    const isAboutUsers = url.pathname.startsWith('/cgi-bin/user/')
    const reply = isAboutUsers ? answerInfos(url.pathname, url, body) : () => answer(url.pathname, url, body)
    if (trouble === 'down') return Promise.reject(new TypeError('fetch failed'))
    if (trouble === 'error') return Promise.resolve(new Response('bad gateway', { status: 502 }))
    const errcode = errcodes[trouble]
    if (errcode !== undefined) return Promise.resolve(json({ errcode, errmsg: 'refused' }))
    if (trouble === 'up') {
      const infos = isAboutUsers ? heldInfos : undefined
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
    beginStep(number: number): void {
      step = number
    },
    isToldFollower: (openid: string, heardIn: number) =>
      toldFollowers.some((told) => told.openid === openid && told.askedIn >= heardIn),
    forgetTold(): void {
      toldFollowers = []
    },
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
    /**
     * Holds the answers with unionids until the requests of a step have ended. The model then knows that the server
     * processes the answers after the requests.
     */
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
    /** The QR codes that WeChat has created. */
    made,
    /** Returns the code that the browser of a WeChat user brings back from WeChat. */
    newCode(openid: string): string {
      const code = `code-${++codesMade}`
      codes.set(code, openid)
      return code
    },
    takeExchanged(): Map<string, string> {
      const taken = exchanged
      exchanged = new Map()
      return taken
    },
    takeChanged(): boolean {
      const taken = hasChanged
      hasChanged = false
      return taken
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
