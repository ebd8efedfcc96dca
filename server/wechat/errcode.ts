/** WeChat's `errcode` as one of our codes, with what the operator can do about it. */
import { BindError, type ErrorCode } from '../errors.ts'

/** `errcode` and `errmsg` as WeChat sent them; `rid` is what its console's diagnosis tool asks for. */
export type WechatFault = { errcode: number; errmsg: string }

/** The access token is dead: drop it and fetch once more (WxJava and wechatpy agree on the three). */
export const TOKEN_DEAD: ReadonlySet<number> = new Set([40001, 40014, 42001])

type Row = [code: ErrorCode, fix: string]

const rows: Record<number, Row> = {
  [-1]: ['WECHAT_UNAVAILABLE', 'WeChat is busy: try again'],
  40001: [
    'WECHAT_FORBIDDEN',
    'the access token or the AppSecret is not valid: check WECHAT_APP_SECRET, and that no other system fetches classic tokens for this account',
  ],
  40013: ['WECHAT_FORBIDDEN', 'the appid is not valid: check WECHAT_APP_ID'],
  40125: ['WECHAT_FORBIDDEN', 'the AppSecret is not valid: check WECHAT_APP_SECRET'],
  40164: [
    'WECHAT_FORBIDDEN',
    "this server's address is not in the account's IP allow-list: add it in WeChat's console",
  ],
  61004: [
    'WECHAT_FORBIDDEN',
    "this server's address is not in the account's IP allow-list: add it in WeChat's console",
  ],
  40243: ['WECHAT_FORBIDDEN', "the AppSecret is frozen: unfreeze it in WeChat's console (takes about 10 minutes)"],
  45009: [
    'WECHAT_QUOTA',
    'the daily quota of this call is used up: wait until midnight in Beijing, or clear it in the console',
  ],
  45011: ['WECHAT_QUOTA', 'too many calls this minute: try again in the next one'],
  45029: ['WECHAT_QUOTA', 'the account has used up its permanent QR codes'],
  48001: [
    'WECHAT_FORBIDDEN',
    'the account may not make parametric QR codes: it must be a verified service account (认证服务号)',
  ],
  48004: ['WECHAT_FORBIDDEN', "WeChat has banned this call for the account: see the console's notices"],
  50002: ['WECHAT_FORBIDDEN', "the account is restricted: see the console's notices"],
  89501: ['WECHAT_FORBIDDEN', "the account's administrator must approve this server's address"],
  89503: ['WECHAT_FORBIDDEN', "the account's administrator must approve this server's address"],
  89506: ['WECHAT_FORBIDDEN', "the administrator rejected this server's address twice: wait 24 hours"],
  89507: ['WECHAT_FORBIDDEN', "the administrator rejected this server's address: wait one hour"],
}

/** Whether the code has a row of its own here. */
export const isKnownErrcode = (errcode: number) => Object.hasOwn(rows, errcode)

const unknown: Row = ['WECHAT_FORBIDDEN', "WeChat refused the call: look the errcode up in WeChat's documentation"]

/** The refusal for people: never WeChat's own `errmsg`, which may hold what must not be shown; that travels as `cause`. */
export function toWechatError({ errcode, errmsg }: WechatFault): BindError {
  const [code, fix] = rows[errcode] ?? unknown
  return new BindError(code, `WeChat answered errcode ${errcode}: ${fix}.`, { cause: { errcode, errmsg } })
}
