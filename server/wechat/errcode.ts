/** The table of WeChat's `errcode`s, with the error code, the cause and the fix for the operator. */
import { type Bilingual, BindError, type ErrorCode } from '../errors.ts'
import { CONSOLE } from './console.ts'

/** `errcode` and `errmsg` as WeChat sent them; `errmsg` contains a `rid` for the diagnosis tool of WeChat's console. */
export type WechatFault = { errcode: number; errmsg: string }

/** A sentence without its full stop, so that the errcode can follow in brackets. */
type Refusal = Bilingual & {
  code: ErrorCode
  /** The second half of the id of the doctor's finding. */
  name: string
  /** True if the same call succeeds later without any change. */
  isTransient?: true
  fix: Bilingual
}

/** The codes of an access token that is not valid and has to be replaced. WxJava and wechatpy test for the same three codes. */
export const INVALID_TOKEN: ReadonlySet<number> = new Set([40001, 40014, 42001])

const wrongSecret: Refusal = {
  code: 'WECHAT_FORBIDDEN',
  name: 'secret',
  en: 'WeChat does not accept the AppSecret',
  zh: '微信不接受该 AppSecret',
  fix: {
    en: `Copy WECHAT_APP_SECRET from ${CONSOLE.secret.en}, for the account that WECHAT_APP_ID names. Resetting the AppSecret there invalidates the old one in every other system.`,
    zh: `请从${CONSOLE.secret.zh}复制 WECHAT_APP_SECRET，须与 WECHAT_APP_ID 属于同一账号。在此处重置 AppSecret 后，其他系统中的旧值即失效。`,
  },
}

const invalidToken: Refusal = {
  code: 'WECHAT_FORBIDDEN',
  name: 'token-dead',
  en: 'WeChat refused an access token that it had just issued',
  zh: '微信拒绝了刚取得的 access_token',
  fix: {
    en: 'Another system invalidates the access tokens of this account: let every system call stable_token without force_refresh. If ACCESS_TOKEN_URL is set, check whether the service at that URL returns expired tokens or tokens of another account.',
    zh: '该账号的其他系统使 access_token 失效：请让所有系统都使用 stable_token，且不带 force_refresh。如设置了 ACCESS_TOKEN_URL，请检查该服务是否返回了过期的或其他账号的 access_token。',
  },
}

function addressNotListed(address?: string): Refusal {
  const target = address ? { en: address, zh: ` ${address} ` } : { en: 'the address', zh: '该地址' }
  return {
    code: 'WECHAT_FORBIDDEN',
    name: 'ip',
    en: `This server's IP address${address ? `, ${address},` : ''} is not in the account's IP allow-list`,
    zh: `本服务器的 IP 地址${address ? ` ${address} ` : ''}不在该账号的 IP 白名单中`,
    fix: {
      en: `Add ${target.en} to IP白名单 in ${CONSOLE.secret.en} and wait a few minutes. The list applies to every call with an access token, even if the token is from ACCESS_TOKEN_URL. If the address differs at each run, give this server a fixed outgoing address (NAT), or add the range in CIDR notation.`,
      zh: `请在${CONSOLE.secret.zh}将${target.zh}加入 IP 白名单，几分钟后生效。白名单适用于所有使用 access_token 的调用，即使该 access_token 取自 ACCESS_TOKEN_URL。如该地址每次不同，请为服务器配置固定的出口 IP（NAT），或以 CIDR 格式加入网段。`,
    },
  }
}

const addressPending: Refusal = {
  code: 'WECHAT_FORBIDDEN',
  name: 'ip-approval',
  en: "The account's administrator has not yet approved this server's IP address",
  zh: '公众号管理员尚未批准本服务器的 IP 地址',
  fix: {
    en: 'Ask the administrator to confirm the request that WeChat sent to their phone, then try again.',
    zh: '请管理员在手机微信上确认微信发出的请求，然后重试。',
  },
}

const addressRejected = (wait: Bilingual): Refusal => ({
  code: 'WECHAT_FORBIDDEN',
  name: 'ip-rejected',
  en: "The account's administrator rejected this server's IP address",
  zh: '公众号管理员拒绝了本服务器的 IP 地址',
  fix: {
    en: `Wait ${wait.en}, then try again and ask the administrator to approve; or add the address to the IP allow-list.`,
    zh: `请等待 ${wait.zh}后重试，并请管理员批准；或将该地址加入 IP 白名单。`,
  },
})

const readNotices: Bilingual = {
  en: 'Read the notices of the account on mp.weixin.qq.com: they state the reason and how to appeal.',
  zh: '请登录 mp.weixin.qq.com 查看该账号的通知，其中有原因与申诉方式。',
}

const lookUp: Bilingual = {
  en: "Look up the errcode in WeChat's documentation, or the rid in the tool API 诊断 on developers.weixin.qq.com/platform.",
  zh: '请在微信文档中查询该 errcode，或在 developers.weixin.qq.com/platform 的“API 诊断”中查询 rid。',
}

/** The code of a web authorization (网页授权). The user can repeat the authorization. */
const codeNotValid: Refusal = {
  code: 'PROOF_EXPIRED',
  name: 'code',
  en: "WeChat does not accept the code of the user's authorization: it has expired or was used before",
  zh: '微信不接受该网页授权的 code：已过期或已使用',
  fix: { en: 'Start the authorization again from the page.', zh: '请从页面重新授权。' },
}

const refusals: Record<number, Refusal> = {
  [-1]: {
    code: 'WECHAT_UNAVAILABLE',
    name: 'busy',
    isTransient: true,
    en: 'WeChat is busy',
    zh: '微信系统繁忙',
    fix: { en: 'Try again in a minute.', zh: '请一分钟后重试。' },
  },
  40001: wrongSecret,
  40013: {
    code: 'WECHAT_FORBIDDEN',
    name: 'appid',
    en: 'No account has this AppID',
    zh: '该 AppID 不存在',
    fix: { en: `Copy WECHAT_APP_ID from ${CONSOLE.account.en}.`, zh: `请从${CONSOLE.account.zh}复制 WECHAT_APP_ID。` },
  },
  40029: codeNotValid,
  40125: wrongSecret,
  40163: codeNotValid,
  40164: addressNotListed(),
  40243: {
    code: 'WECHAT_FORBIDDEN',
    name: 'frozen',
    en: 'The AppSecret is frozen',
    zh: 'AppSecret 已被冻结',
    fix: {
      en: `Unfreeze the AppSecret in ${CONSOLE.secret.en}; this takes about 10 minutes.`,
      zh: `请在${CONSOLE.secret.zh}解冻 AppSecret，约 10 分钟后生效。`,
    },
  },
  41008: codeNotValid,
  42003: codeNotValid,
  45009: {
    code: 'WECHAT_QUOTA',
    name: 'quota',
    en: 'The daily quota of this API is used up',
    zh: '该接口今日的调用额度已用完',
    fix: {
      en: `Wait until midnight in Beijing, or reset the quota in ${CONSOLE.rights.en} (at most 10 times a month). Then find out which system makes so many calls.`,
      zh: `请等到北京时间零点，或在${CONSOLE.rights.zh}清零额度（每月最多 10 次），并查明哪个系统调用过多。`,
    },
  },
  45011: {
    code: 'WECHAT_QUOTA',
    name: 'minute-quota',
    isTransient: true,
    en: 'This API was called too often within this minute',
    zh: '本分钟内该接口调用过于频繁',
    fix: { en: 'Try again in the next minute.', zh: '请在下一分钟重试。' },
  },
  45029: {
    code: 'WECHAT_QUOTA',
    name: 'refused',
    en: 'The account has used up its permanent QR codes',
    zh: '该账号的永久二维码已用完',
    fix: lookUp,
  },
  48001: {
    code: 'WECHAT_FORBIDDEN',
    name: 'unauthorized',
    en: 'The account has no permission for this API',
    zh: '该账号没有此接口的权限',
    fix: {
      en: `Parametric QR codes require a verified service account (认证服务号) whose yearly verification is still valid: see ${CONSOLE.rights.en}. For development, use a test account (测试号).`,
      zh: `带参数二维码仅限认证服务号，且年审须有效：请在${CONSOLE.rights.zh}查看。开发时可使用测试号。`,
    },
  },
  48004: {
    code: 'WECHAT_FORBIDDEN',
    name: 'banned',
    en: 'WeChat has blocked this API for the account',
    zh: '微信已封禁该账号的此接口',
    fix: readNotices,
  },
  50002: {
    code: 'WECHAT_FORBIDDEN',
    name: 'restricted',
    en: 'WeChat has frozen or restricted the account',
    zh: '该账号已被微信冻结或限制',
    fix: readNotices,
  },
  61004: addressNotListed(),
  63178: {
    code: 'WECHAT_FORBIDDEN',
    name: 'migration',
    en: 'WeChat has no record of a migration from this account to the account of WECHAT_APP_ID',
    zh: '微信没有从该账号迁移到 WECHAT_APP_ID 所属账号的记录',
    fix: {
      en: 'Openids can be converted for 15 days after the administrators of both accounts have confirmed the migration. Set WECHAT_APP_ID and WECHAT_APP_SECRET to the new account, and name the old one with --from; if its AppID is refused, add its original id with --original-id.',
      zh: '双方管理员确认迁移后的 15 天内可以转换 openid。请将 WECHAT_APP_ID 与 WECHAT_APP_SECRET 设为新账号，并以 --from 指定旧账号；如旧账号的 AppID 被拒绝，请用 --original-id 加上其原始 ID。',
    },
  },
  89501: addressPending,
  89503: addressPending,
  89506: addressRejected({ en: '24 hours', zh: '24 小时' }),
  89507: addressRejected({ en: 'one hour', zh: '1 小时' }),
}

const unknown: Refusal = {
  code: 'WECHAT_FORBIDDEN',
  name: 'refused',
  en: 'WeChat refused the call',
  zh: '微信拒绝了该调用',
  fix: lookUp,
}

/** Whether the table has an entry for the errcode. */
export const isKnownErrcode = (errcode: number) => Object.hasOwn(refusals, errcode)

/** `isTokenRequest`: whether the call requested a token with the AppSecret. `address`: the caller's IP address, if WeChat reported it. */
export function refusalOf(
  errcode: number,
  { isTokenRequest, address }: { isTokenRequest: boolean; address?: string | undefined },
): Refusal {
  const refusal = refusals[errcode] ?? unknown
  if (refusal.name === 'ip') return addressNotListed(address)
  // 40001 has two meanings. In answer to a token request the AppSecret is wrong; in answer to other calls the token is not valid.
  if (INVALID_TOKEN.has(errcode) && !(errcode === 40001 && isTokenRequest)) return invalidToken
  return refusal
}

/** WeChat's `errmsg` may contain an openid or a token, so it goes into `cause` for the log and never into the message. */
export function toWechatError({ errcode, errmsg }: WechatFault, isTokenRequest = false): BindError {
  const { code, en, fix } = refusalOf(errcode, { isTokenRequest })
  return new BindError(code, `${en} (errcode ${errcode}). ${fix.en}`, { cause: { errcode, errmsg } })
}
