/** The calls of WeChat's API that a binding needs. */
import type { BindError } from '../errors.ts'
import type { Fetch } from '../platform.ts'
import type { AccessTokens } from './access-token.ts'
import { TOKEN_DEAD, toWechatError } from './errcode.ts'
import { type ApiAnswer, callWechat, expectSuccess, postJson, unavailable } from './http.ts'

/** A temporary parametric QR. `url` is the text that its picture encodes. */
export type Qrcode = { ticket: string; url: string; expireSeconds: number }

export type WechatApi = {
  /** `scene`: 1 to 64 of `[A-Za-z0-9_-]`. Throws `WECHAT_FORBIDDEN`, `WECHAT_QUOTA`, `WECHAT_UNAVAILABLE` within the time-out. */
  createQrcode(scene: string, expireSeconds: number): Promise<Qrcode>
  /** The follower's `unionid`, or undefined where the account belongs to no Open Platform account. */
  getUnionid(openid: string): Promise<string | undefined>
  /** Of 2 to 100 followers, in one call; in their order. One openid that WeChat does not know refuses them all. */
  getUnionids(openids: string[]): Promise<(string | undefined)[]>
  /** Throws when no access token can be had. */
  checkAccess(): Promise<void>
}

export type WechatApiDeps = {
  apiBase: string
  accessTokens: AccessTokens
  fetch: Fetch
  /** Resolves after `ms`, rejects with the signal. */
  delay: (ms: number, signal: AbortSignal) => Promise<void>
}

// All tries of one call together: who waits for GetQrCode is answered within 5 s.
const CALL_TIMEOUT_MS = 4_000

// WeChat's "system busy" passes by itself; two more tries, then the caller decides.
const BUSY = -1
const BUSY_DELAYS_MS = [150, 450]

export function createWechatApi({ apiBase, accessTokens, fetch, delay }: WechatApiDeps): WechatApi {
  const once = (path: string, token: string, init: RequestInit, signal: AbortSignal) => {
    const separator = path.includes('?') ? '&' : '?'
    return callWechat(fetch, `${apiBase}${path}${separator}access_token=${encodeURIComponent(token)}`, init, signal)
  }

  /** With a token that lives: a dead one is dropped and the call made once more, never twice. */
  async function withToken(path: string, init: RequestInit, signal: AbortSignal): Promise<ApiAnswer> {
    const token = await accessTokens.get(signal)
    const answer = await once(path, token, init, signal)
    if (!TOKEN_DEAD.has(answer.errcode ?? 0)) return answer
    accessTokens.drop(token)
    return once(path, await accessTokens.get(signal), init, signal)
  }

  async function call(path: string, init: RequestInit = {}): Promise<ApiAnswer> {
    const signal = AbortSignal.timeout(CALL_TIMEOUT_MS)
    let answer = await withToken(path, init, signal)
    for (const ms of BUSY_DELAYS_MS) {
      if (answer.errcode !== BUSY) break
      await delay(ms, signal).catch((cause) => {
        throw unavailable('WeChat stayed busy', cause)
      })
      answer = await withToken(path, init, signal)
    }
    if (TOKEN_DEAD.has(answer.errcode ?? 0)) throw stillDead(answer)
    return expectSuccess(answer)
  }

  return {
    async createQrcode(scene, expireSeconds) {
      const answer = await call('/cgi-bin/qrcode/create', postJson(toQrcodeRequest(scene, expireSeconds)))
      const { ticket, url, expire_seconds = expireSeconds } = answer
      if (typeof ticket !== 'string' || typeof url !== 'string')
        throw unavailable('WeChat answered a QR code without ticket or url')
      return { ticket, url, expireSeconds: Number(expire_seconds) }
    },
    async getUnionid(openid) {
      const path = `/cgi-bin/user/info?openid=${encodeURIComponent(openid)}&lang=zh_CN`
      return unionidOf(await call(path).catch(noneOfStranger))
    },
    async getUnionids(openids) {
      const user_list = openids.map((openid) => ({ openid, lang: 'zh_CN' }))
      const { user_info_list: list } = await call('/cgi-bin/user/info/batchget', postJson({ user_list }))
      if (!Array.isArray(list)) throw unavailable('WeChat answered no list of followers')
      const known = new Map(
        list.map((follower: ApiAnswer | null) => [follower?.openid, follower && unionidOf(follower)]),
      )
      // Who is left out has not been told to have none.
      if (!openids.every((openid) => known.has(openid))) throw unavailable('WeChat left followers out')
      return openids.map((openid) => known.get(openid) ?? undefined)
    },
    async checkAccess() {
      await accessTokens.get(AbortSignal.timeout(CALL_TIMEOUT_MS))
    },
  }
}

const unionidOf = ({ unionid }: ApiAnswer) => (typeof unionid === 'string' && unionid !== '' ? unionid : undefined)

// A bad openid; who must follow first; who does not follow: whoever has left since has no unionid to tell.
const STRANGERS = new Set([40003, 43004, 50005])

function noneOfStranger(error: BindError): ApiAnswer {
  if (STRANGERS.has((error.cause as { errcode?: number } | undefined)?.errcode ?? 0)) return {}
  throw error
}

/** Without the inner `scene`, or with the scene in `scene_id`, WeChat makes a working QR whose scene is 0 and says nothing. */
function toQrcodeRequest(scene: string, expireSeconds: number) {
  return {
    // Always sent: WeChat's default is 30 or 60 s, by the page one reads.
    expire_seconds: expireSeconds,
    action_name: 'QR_STR_SCENE',
    action_info: { scene: { scene_str: scene } },
  }
}

/** A fresh token that is dead at once: some other system invalidates the account's tokens. Worth a retry, and an alarm. */
function stillDead({ errcode = 0, errmsg = '' }: ApiAnswer) {
  return unavailable(
    `WeChat refused a fresh access token (errcode ${errcode})`,
    toWechatError({ errcode, errmsg: String(errmsg) }),
  )
}
