/**
 * The simulated web authorization (网页授权): the page `connect/oauth2/authorize` of `open.weixin.qq.com`, and the exchange of its
 * codes. WeChat documents both, with the errors of the page, here:
 * https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
 */
import type { Account, Random } from './account.ts'
import { WechatRefusal } from './errcodes.ts'
import type { Phone } from './phone.ts'

/**
 * `isDeclined`: the person declines. `isSnapshot`: WeChat shows a snapshot of the page (快照页) and returns a made-up
 * openid.
 */
export type AuthorizeOptions = { isDeclined?: boolean | undefined; isSnapshot?: boolean | undefined }

/** The browser goes to `location`, or stays on an error page of WeChat. */
export type AuthorizeResult = { location: string } | { error: PageError }

/** `code` is null for the error page of a malformed link. */
export type PageError = { code: number | null; text: string }

type Code = { openid: string; scope: Scope; isSnapshot: boolean; createdAt: number; isUsed: boolean }

const scopes = ['snsapi_base', 'snsapi_userinfo'] as const
type Scope = (typeof scopes)[number]

/** WeChat's texts. */
const pageErrors: Record<number, string> = {
  10003: 'redirect_uri域名与后台配置不一致',
  10004: '此公众号被封禁',
  10005: '此公众号并没有这些scope的权限',
  10006: '必须关注此测试号',
  10009: '操作太频繁了，请稍后重试',
  10010: 'scope不能为空',
  10011: 'redirect_uri不能为空',
  10012: 'appid不能为空',
  10013: 'state不能为空',
  10015: '公众号未授权第三方平台，请检查授权状态',
  10016: '不支持微信开放平台的Appid，请使用公众号Appid',
}

const CODE_VALID_MS = 300_000
const ACCESS_TOKEN_SECONDS = 7_200

// WeChat matches the link with a pattern, so the order of the parameters counts.
const ORDER = ['appid', 'redirect_uri', 'response_type', 'scope', 'state']

type AuthorizationDeps = { account: Account; clock: () => number; random: Random }

export type WebAuthorization = ReturnType<typeof createWebAuthorization>

export function createWebAuthorization({ account, clock, random }: AuthorizationDeps) {
  const codes = new Map<string, Code>()

  function faultOf(query: URLSearchParams): PageError | undefined {
    if (!query.get('appid')) return pageError(10012)
    if (query.get('appid') !== account.appId) return malformed
    const redirectUri = query.get('redirect_uri')
    if (!redirectUri) return pageError(10011)
    const scope = query.get('scope')
    if (!scope) return pageError(10010)
    if (!scopes.some((each) => each === scope)) return pageError(10005)
    const state = query.get('state')
    if (state === '') return pageError(10013)
    if (query.get('response_type') !== 'code' || !isInOrder(query)) return malformed
    // The documentation allows letters and digits, at most 128 bytes.
    if (state !== null && !/^[A-Za-z0-9]{1,128}$/.test(state)) return malformed
    return isOwnDomain(redirectUri) ? undefined : pageError(10003)
  }

  /**
   * The domain must be equal to a configured domain. A subdomain of a configured domain is not accepted. WeChat's
   * console stores no scheme and no port.
   */
  function isOwnDomain(redirectUri: string): boolean {
    const url = URL.parse(redirectUri)
    return url !== null && /^https?:$/.test(url.protocol) && account.webDomains.includes(url.hostname)
  }

  function addCode(code: Code): string {
    for (const [value, { createdAt }] of codes) if (createdAt <= clock() - 2 * CODE_VALID_MS) codes.delete(value)
    const value = random(24).toString('base64url')
    codes.set(value, code)
    return value
  }

  return {
    /** Opens the link on the phone of a person. With `snsapi_base` WeChat asks nothing and goes to `redirect_uri` at once. */
    authorize(
      phone: Phone,
      link: string,
      { isDeclined = false, isSnapshot = false }: AuthorizeOptions = {},
    ): AuthorizeResult {
      const query = URL.parse(link)?.searchParams ?? new URLSearchParams()
      const error = faultOf(query)
      if (error) return { error }
      const location = new URL(query.get('redirect_uri')!)
      if (!isDeclined) {
        const openid = isSnapshot ? `o${random(20).toString('base64url')}` : phone.openid
        const scope = query.get('scope') as Scope
        location.searchParams.set('code', addCode({ openid, scope, isSnapshot, createdAt: clock(), isUsed: false }))
      }
      location.searchParams.set('state', query.get('state') ?? '')
      return { location: location.href }
    },
    /** `GET /sns/oauth2/access_token`. */
    exchange({ appid, secret, code, grant_type }: Record<string, string>) {
      if (!appid) throw new WechatRefusal(41002)
      if (appid !== account.appId) throw new WechatRefusal(40013)
      if (!secret) throw new WechatRefusal(41004)
      if (secret !== account.appSecret) throw new WechatRefusal(40125)
      if (!code) throw new WechatRefusal(41008)
      if (grant_type !== 'authorization_code') throw new WechatRefusal(40002)
      const known = codes.get(code)
      if (!known || clock() >= known.createdAt + CODE_VALID_MS) throw new WechatRefusal(40029)
      if (known.isUsed) throw new WechatRefusal(40163)
      known.isUsed = true
      return {
        access_token: `100_${random(64).toString('base64url')}`,
        expires_in: ACCESS_TOKEN_SECONDS,
        refresh_token: `100_${random(64).toString('base64url')}`,
        openid: known.openid,
        scope: known.scope,
        ...(known.isSnapshot && { is_snapshotuser: 1 }),
      }
    },
  }
}

/** The error page for an errcode, with WeChat's text if it is documented. */
export const pageError = (code: number): PageError => ({ code, text: pageErrors[code] ?? '系统错误' })

const malformed: PageError = { code: null, text: '该链接无法访问' }

function isInOrder(query: URLSearchParams): boolean {
  const known = [...query.keys()].filter((name) => ORDER.includes(name))
  return known.every((name, i) => ORDER[i] === name)
}
