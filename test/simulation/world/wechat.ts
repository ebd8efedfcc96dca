/** WeChat as the server sees it: its API, which works or fails, and the messages of its users. */

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

// Fixed, so that every run has the same ids and one store serves many runs.
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
  /** The scenes that WeChat has made a QR code for in this step. */
  let offered: string[] = []
  const sceneByUrl = new Map<string, string>()
  let step = 0
  /** The openids of which WeChat has said in this step that they follow, each with the step of the question. */
  let toldFollowers: { openid: string; askedIn: number }[] = []

  const infoOf = (openid: string) => ({
    subscribe: isFollower(openid) ? 1 : 0,
    openid,
    ...(hasUnionid ? { unionid: unionids.get(openid) } : {}),
  })

  const isFollower = (openid: string) => follows.get(openid) ?? true

  /** The state of the users when the server asks. The answer may arrive later. */
  function answerInfos(path: string, url: URL, body: unknown): () => Response {
    const isOne = path === '/cgi-bin/user/info'
    const openids = isOne
      ? [url.searchParams.get('openid') ?? '']
      : (body as { user_list: { openid: string }[] }).user_list.map(({ openid }) => openid)
    const infos = openids.map(infoOf)
    const followers = openids.filter(isFollower).map((openid) => ({ openid, askedIn: step }))
    return () => {
      toldFollowers.push(...followers)
      return json(isOne ? infos[0] : { user_info_list: infos })
    }
  }

  function answer(path: string, body: unknown): Response {
    if (path === '/cgi-bin/stable_token') return json({ access_token: 'token-of-the-simulation', expires_in: 7200 })
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
    const isAboutUsers = url.pathname.startsWith('/cgi-bin/user/')
    const reply = isAboutUsers ? answerInfos(url.pathname, url, body) : () => answer(url.pathname, body)
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
    /** A slow WeChat answers when its slow phase ends. */
    setTrouble(next: Trouble): void {
      trouble = next
      if (next === 'slow') return
      const late = held
      held = []
      for (const { answer } of late) answer()
    },
    /** Unionids arrive after the requests of a step, so that the model knows their order. */
    holdInfos(): void {
      heldInfos ??= []
    },
    /** Returns whether an answer was held. */
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

/** One delivery of a message: encrypted and signed anew each time. */
export function seal(fields: MessageFields, now: number): { search: string; body: Uint8Array<ArrayBuffer> } {
  const { query, body } = sealMessage(account, fields, now, randomBytes)
  return { search: `?${new URLSearchParams(query)}`, body: new TextEncoder().encode(body) }
}

/** The texts of all replies: the name, the label, the digits and the link, so that a chat can be read. */
export const replyTexts = Object.fromEntries(
  replyNames.map((name) => [`REPLY_${name.toUpperCase()}`, `${name}|{label}|{digits}|{confirm}`]),
)

/** The reply in the chat, or what is wrong with it. */
export function readReply(openid: string, body: string): { reply: Reply } | { fault: string } {
  const opened = openReply(account, openid, { status: 200, body })
  if (opened.kind === 'fault') return { fault: opened.reason }
  if (opened.kind === 'silent') return { reply: null }
  const [name = '', label = '', digits = ''] = opened.content.split('|')
  const quoted = /^[“「](.*)[”」]$/.exec(label)?.[1] ?? null
  return { reply: { name, label: quoted, ...(digits === '' ? {} : { digits }) } }
}
