/**
 * The account's parametric QR codes. As in WeChat, some invalid requests cause no error, but create a code without a
 * scene.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from './account.ts'
import { WechatRefusal } from './errcodes.ts'
import { toQrcodeUrl, toTicket } from './ticket.ts'

export type Qrcode = {
  ticket: string
  url: string
  /** The scene in `EventKey`; `0` when WeChat could not read the scene of the request. */
  scene: string
  createdAt: number
  /** Epoch ms; null for a permanent code. */
  expiresAt: number | null
}

/** The request as WeChat interprets it. If `lifeSeconds` is 0, the code is permanent. */
type QrcodeOrder = { scene: string; lifeSeconds: number }

// The default of `expire_seconds`. The current documentation says 60, and older versions say 30. Callers should always
// send `expire_seconds`.
const DEFAULT_LIFE_SECONDS = 60
const MAX_LIFE_SECONDS = 2_592_000
const MAX_PERMANENT = 100_000
const UINT32_MAX = 4_294_967_295
// The simulator keeps expired codes for a day, so that a late scan displays "expired" and not "unknown".
const KEEP_EXPIRED_MS = 86_400_000
const NO_SCENE = '0'

/**
 * Interprets a request as WeChat does. WeChat answers some invalid requests with 40052 or 40053. For all other invalid
 * requests it creates a code with scene 0.
 */
function toQrcodeOrder(request: Record<string, unknown>): QrcodeOrder {
  const { action_name, action_info, expire_seconds } = request
  if (!isRecord(action_info)) throw new WechatRefusal(action_name === undefined ? 40052 : 40053)
  // Without the inner `scene` object (`"action_info":{"scene_id":1}`) WeChat creates a code with scene 0.
  const scene = isRecord(action_info.scene) ? action_info.scene : {}
  switch (action_name) {
    case 'QR_SCENE':
      return { scene: toNumberScene(scene), lifeSeconds: toLife(expire_seconds) }
    case 'QR_STR_SCENE':
      return { scene: toTextScene(scene), lifeSeconds: toLife(expire_seconds) }
    case 'QR_LIMIT_SCENE':
      return { scene: toPermanentNumber(scene), lifeSeconds: 0 }
    case 'QR_LIMIT_STR_SCENE':
      return { scene: toPermanentText(scene), lifeSeconds: 0 }
    default:
      throw new WechatRefusal(40052)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function toLife(seconds: unknown): number {
  return typeof seconds === 'number' && seconds >= 1
    ? Math.min(Math.floor(seconds), MAX_LIFE_SECONDS)
    : DEFAULT_LIFE_SECONDS
}

/** A string in `scene_id`, or an additional `scene_str`, gives scene 0. A number above 32 bits gives the largest 32-bit number. */
function toNumberScene({ scene_id, scene_str }: Record<string, unknown>): string {
  if (!Number.isInteger(scene_id) || (scene_id as number) < 0 || scene_str !== undefined) return NO_SCENE
  return String(Math.min(scene_id as number, UINT32_MAX))
}

/** For a temporary code WeChat accepts more than 64 characters, contrary to its documentation. */
function toTextScene({ scene_id, scene_str }: Record<string, unknown>): string {
  return typeof scene_str === 'string' && scene_str !== '' && scene_id === undefined ? scene_str : NO_SCENE
}

function toPermanentNumber({ scene_id }: Record<string, unknown>): string {
  const id = Number.isInteger(scene_id) ? (scene_id as number) : 0
  if (id < 1 || id > MAX_PERMANENT) throw new WechatRefusal(40053)
  return String(id)
}

function toPermanentText({ scene_str }: Record<string, unknown>): string {
  if (typeof scene_str !== 'string' || scene_str === '' || scene_str.length > 64) throw new WechatRefusal(40053)
  return scene_str
}

export const isExpired = ({ expiresAt }: Qrcode, now: number) => expiresAt !== null && now >= expiresAt

/** Calls a function in the asynchronous context of the last request that created a QR code. */
type InContext = <T>(run: () => T) => T

export type Qrcodes = ReturnType<typeof createQrcodes>

type QrcodesDeps = { clock: () => number; random: Random; remembered?: Qrcode[] }

export function createQrcodes({ clock, random, remembered = [] }: QrcodesDeps) {
  const contexts = new WeakMap<Qrcode, InContext>()
  const byUrl = new Map(remembered.map((qrcode) => [qrcode.url, qrcode]))

  function forgetOld(now: number): void {
    for (const qrcode of byUrl.values()) if (isExpired(qrcode, now - KEEP_EXPIRED_MS)) byUrl.delete(qrcode.url)
  }

  function add({ scene, lifeSeconds }: QrcodeOrder): Qrcode {
    const now = clock()
    const url = toQrcodeUrl(random)
    const ticket = toTicket(url, Math.floor(now / 1000), lifeSeconds, random)
    const expiresAt = lifeSeconds === 0 ? null : now + lifeSeconds * 1000
    const qrcode = { ticket, url, scene, createdAt: now, expiresAt }
    byUrl.set(url, qrcode)
    return qrcode
  }

  const all = () => [...byUrl.values()]
  const isFull = () => all().filter(({ expiresAt }) => expiresAt === null).length >= MAX_PERMANENT

  return {
    /** The response of `POST /cgi-bin/qrcode/create`. For a permanent code it has no `expire_seconds`. */
    create(request: Record<string, unknown>) {
      const order = toQrcodeOrder(request)
      forgetOld(clock())
      if (order.lifeSeconds === 0 && isFull()) throw new WechatRefusal(45029)
      const { ticket, url } = add(order)
      return order.lifeSeconds === 0 ? { ticket, url } : { ticket, expire_seconds: order.lifeSeconds, url }
    },
    /** Returns the code with this URL, even if the code has expired. */
    find: (url: string) => byUrl.get(url),
    /**
     * Keeps the asynchronous context of this call. The messages after a scan of this QR code are delivered in that
     * context.
     */
    keepContext(url: string): void {
      const qrcode = byUrl.get(url)
      if (qrcode) contexts.set(qrcode, AsyncLocalStorage.snapshot())
    },
    contextOf: (qrcode: Qrcode): InContext => contexts.get(qrcode) ?? ((run) => run()),
    newest: () => all().at(-1),
    findByTicket: (ticket: string) => all().find((qrcode) => qrcode.ticket === ticket),
    all,
    /** Expires the code with this `url`, by default the newest code. */
    expire(url?: string): void {
      const qrcode = url === undefined ? all().at(-1) : byUrl.get(url)
      if (qrcode) qrcode.expiresAt = Math.min(qrcode.expiresAt ?? Infinity, clock())
    },
  }
}
