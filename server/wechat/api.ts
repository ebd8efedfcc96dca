/** The calls of WeChat's API that a binding needs. */
import { BindError } from '../errors.ts'
import { type Delay, type Fetch, systemTimeLimit, type TimeLimit } from '../platform.ts'
import type { AccessTokens } from './access-token.ts'
import { INVALID_TOKEN, toWechatError } from './errcode.ts'
import { isDuration, isPrintable } from './fields.ts'
import { type ApiAnswer, addAccessToken, callWechat, expectSuccess, postJson, unavailable } from './http.ts'

/** A temporary parametric QR code. `url` is the text that the code encodes. */
type Qrcode = { ticket: string; url: string; expireSeconds: number }

/** `unionid` is undefined if the account is not linked to an Open Platform account. */
export type UserInfo = { unionid: string | undefined; isFollower: boolean }

/** `refusal`: why WeChat has no new openid, in WeChat's words. */
export type ChangedOpenid = { openid: string } | { refusal: string }

export type WechatApi = {
  /** `scene`: 1 to 64 of `[A-Za-z0-9_-]`. Throws `WECHAT_FORBIDDEN`, `WECHAT_QUOTA` or `WECHAT_UNAVAILABLE` within the time limit. */
  createQrcode(scene: string, expireSeconds: number): Promise<Qrcode>
  /** Whether the user follows the account, and the `unionid`. */
  getUserInfo(openid: string): Promise<UserInfo>
  /**
   * Works like `getUserInfo` for 2 to 100 users with one call. The results have the order of the openids. Throws when WeChat does
   * not know an openid.
   */
  getUserInfos(openids: string[]): Promise<UserInfo[]>
  /**
   * Exchanges the `code` of a web authorization (网页授权) for the user's openid. A code is valid once, for 5 minutes. Throws
   * `PROOF_EXPIRED` for any other code, `SNAPSHOT_PAGE`, and `WECHAT_*`.
   */
  exchangeCode(code: string): Promise<string>
  /**
   * Returns the openids at this account of at most 100 users of an account that was migrated to it. The results have the order of
   * `openids`. `from` is the old account's AppID or original id: WeChat's documentation asks for the original id, and its API
   * accepts the AppID.
   */
  changeOpenids(from: string, openids: string[]): Promise<ChangedOpenid[]>
  /** Throws when no access token is available. */
  checkAccess(): Promise<void>
}

type WechatApiDeps = {
  appId: string
  appSecret: string
  apiBase: string
  accessTokens: AccessTokens
  fetch: Fetch
  delay: Delay
  timeLimit?: TimeLimit
}

// The time limit of all tries of one call together. The caller of GetQrCode must get an answer within 5 s.
const CALL_TIMEOUT_MS = 4_000

// WeChat's error "system busy" is transient, so the call is repeated after each of these pauses.
const BUSY = -1
const BUSY_DELAYS_MS = [150, 450]

// WeChat's tickets have 96 characters, and its unionids have 28.
const MAX_ID_LENGTH = 512

// WeChat's URLs have 45 characters. A QR code of the level M can encode at most 2,331.
const MAX_URL_LENGTH = 512

export const QRCODE_PATH = '/cgi-bin/qrcode/create'

export const CODE_PATH = '/sns/oauth2/access_token'

export function createWechatApi({ timeLimit = systemTimeLimit, ...deps }: WechatApiDeps): WechatApi {
  const { apiBase, accessTokens, fetch, delay } = deps
  const callWith = (token: string, path: string, init: RequestInit, signal: AbortSignal) =>
    callWechat(fetch, addAccessToken(apiBase + path, token), init, signal)

  /** Calls with a valid token. When WeChat calls the token invalid, drops the token and repeats the call once. */
  async function callOnce(path: string, init: RequestInit, signal: AbortSignal): Promise<ApiAnswer> {
    const token = await accessTokens.get(signal)
    const answer = await callWith(token, path, init, signal)
    if (!INVALID_TOKEN.has(answer.errcode ?? 0)) return answer
    accessTokens.drop(token)
    return callWith(await accessTokens.get(signal), path, init, signal)
  }

  async function call(path: string, init: RequestInit = {}): Promise<ApiAnswer> {
    const answer = await whileBusy((signal) => callOnce(path, init, signal))
    if (INVALID_TOKEN.has(answer.errcode ?? 0)) throw freshTokenRefused(answer)
    return expectSuccess(answer)
  }

  async function whileBusy(callOnce: (signal: AbortSignal) => Promise<ApiAnswer>): Promise<ApiAnswer> {
    const signal = timeLimit(CALL_TIMEOUT_MS)
    let answer = await callOnce(signal)
    for (const ms of BUSY_DELAYS_MS) {
      if (answer.errcode !== BUSY) break
      await delay(ms, signal).catch((cause) => {
        throw unavailable('WeChat was busy at every try', cause)
      })
      answer = await callOnce(signal)
    }
    return answer
  }

  return {
    async createQrcode(scene, expireSeconds) {
      const answer = await call(QRCODE_PATH, postJson(toQrcodeRequest(scene, expireSeconds)))
      const qrcode = parseQrcode(answer, expireSeconds)
      if (!qrcode) throw unavailable('WeChat returned a QR code without a valid ticket, url or expire_seconds')
      return qrcode
    },
    async getUserInfo(openid) {
      const path = `/cgi-bin/user/info?openid=${encodeURIComponent(openid)}&lang=zh_CN`
      return toUserInfo(await call(path).catch(emptyIfNotFollower))
    },
    async getUserInfos(openids) {
      const user_list = openids.map((openid) => ({ openid, lang: 'zh_CN' }))
      const { user_info_list: list } = await call('/cgi-bin/user/info/batchget', postJson({ user_list }))
      if (!Array.isArray(list)) throw unavailable('WeChat returned no list of followers')
      const known = new Map(list.map((user: ApiAnswer | null) => [user?.openid, toUserInfo(user ?? {})]))
      return openids.map((openid) => {
        const info = known.get(openid)
        // An openid that is missing from the answer may still have a unionid.
        if (!info) throw unavailable('WeChat left followers out of its answer')
        return info
      })
    },
    async exchangeCode(code) {
      const url = toCodeRequest(deps, code)
      const answer = expectSuccess(await whileBusy((signal) => callWechat(fetch, url, {}, signal)), true)
      // WeChat gives a made-up openid to a snapshot of a page (快照页), in which the user can only read.
      if (answer.is_snapshotuser === 1) throw snapshotPage()
      if (!isPrintable(answer.openid, MAX_ID_LENGTH)) throw unavailable('WeChat returned no valid openid')
      return answer.openid
    },
    async changeOpenids(from, openids) {
      const body = { from_appid: from, openid_list: openids }
      const { result_list: list } = await call('/cgi-bin/changeopenid', postJson(body))
      if (!Array.isArray(list)) throw unavailable('WeChat returned no list of openids')
      const results = new Map(list.map((result: ApiAnswer | null) => [result?.ori_openid, result]))
      return openids.map((openid) => toChangedOpenid(results.get(openid)))
    },
    async checkAccess() {
      await accessTokens.get(timeLimit(CALL_TIMEOUT_MS))
    },
  }
}

/** Undefined unless the answer has a ticket and a URL that can be shown. A lifetime is optional, but must be valid. */
export function parseQrcode(answer: ApiAnswer, requestedSeconds: number): Qrcode | undefined {
  const { ticket, url, expire_seconds = requestedSeconds } = answer
  if (!isPrintable(ticket, MAX_ID_LENGTH) || !isPrintable(url, MAX_URL_LENGTH) || !isDuration(expire_seconds))
    return undefined
  return { ticket, url, expireSeconds: Math.min(expire_seconds, requestedSeconds) }
}

function toChangedOpenid(result: ApiAnswer | null | undefined): ChangedOpenid {
  if (!result) return { refusal: 'not in the answer' }
  const { new_openid: openid, err_msg: refusal } = result
  if (refusal === 'ok' && isPrintable(openid, MAX_ID_LENGTH)) return { openid }
  return { refusal: typeof refusal === 'string' ? refusal : 'no new openid' }
}

const toUserInfo = ({ unionid, subscribe }: ApiAnswer): UserInfo => ({
  unionid: isPrintable(unionid, MAX_ID_LENGTH) ? unionid : undefined,
  isFollower: subscribe === 1,
})

// 40003: invalid openid. 43004: the user must follow the account first. 50005: the user does not follow the account. With each of
// these codes, WeChat tells the account no unionid.
const NOT_A_FOLLOWER = new Set([40003, 43004, 50005])

function emptyIfNotFollower(error: BindError): ApiAnswer {
  if (NOT_A_FOLLOWER.has((error.cause as { errcode?: number } | undefined)?.errcode ?? 0)) return {}
  throw error
}

/**
 * The request for the user of a `code`. It needs the AppSecret, even if access tokens come from another service. WeChat documents it
 * here: https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
export function toCodeRequest(
  { appId: appid, appSecret: secret, apiBase }: { appId: string; appSecret: string; apiBase: string },
  code: string,
): string {
  return `${apiBase}${CODE_PATH}?${new URLSearchParams({ appid, secret, code, grant_type: 'authorization_code' })}`
}

const snapshotPage = () =>
  new BindError(
    'SNAPSHOT_PAGE',
    'WeChat shows a snapshot of the page, whose user is not real: tap "使用完整服务" at the bottom of the page, then try again.',
  )

/**
 * The body of `qrcode/create`. Without the inner `scene`, or with the scene in `scene_id`, WeChat reports no error and makes a QR
 * code whose scene is 0.
 */
export function toQrcodeRequest(scene: string, expireSeconds: number) {
  return {
    // The field is always sent, because WeChat's default is 30 s on one page of its documentation and 60 s on another.
    expire_seconds: expireSeconds,
    action_name: 'QR_STR_SCENE',
    action_info: { scene: { scene_str: scene } },
  }
}

/** The error when another system invalidates the account's tokens. Its code makes the caller try again. */
function freshTokenRefused({ errcode = 0, errmsg = '' }: ApiAnswer) {
  return unavailable(
    `WeChat refused an access token that it had just issued (errcode ${errcode})`,
    toWechatError({ errcode, errmsg }),
  )
}
