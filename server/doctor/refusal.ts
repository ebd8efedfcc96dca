/** WeChat's `errcode` as a finding: what it means for this server and what its operator does about it. */
import type { Words } from '../config/env-reader.ts'
import { TOKEN_DEAD } from '../wechat/errcode.ts'
import type { ApiAnswer } from '../wechat/http.ts'
import { type Finding, type Trouble, warn, wrong } from './finding.ts'

/** Which call was refused; the first half of the finding's id. */
export type Area = 'token' | 'token-service' | 'qr' | 'quota'

/** `name` is the second half of the id. A refusal that passes by itself is no more than a warning. */
type Row = Trouble & { name: string; passes?: true }

const CONSOLE: Words = {
  en: "WeChat's console (设置与开发 > 基本配置)",
  zh: '公众平台“设置与开发 > 基本配置”',
}

const secret: Row = {
  name: 'secret',
  en: 'WeChat does not accept the AppSecret',
  zh: '微信不接受该 AppSecret',
  fix: {
    en: `Copy WECHAT_APP_SECRET from ${CONSOLE.en}, of the same account as WECHAT_APP_ID. Resetting it there ends it in every other system.`,
    zh: `请从${CONSOLE.zh}重新复制 WECHAT_APP_SECRET，须与 WECHAT_APP_ID 属于同一账号。如在公众平台重置，其他系统中的旧值即失效。`,
  },
}

const dead: Row = {
  name: 'token-dead',
  en: 'WeChat says that the access token just given is dead',
  zh: '刚取得的 access_token 已被微信判为失效',
  fix: {
    en: 'Another system of this account renews tokens by force: let all of them use stable_token without force_refresh. With ACCESS_TOKEN_URL, that service gives old tokens, or those of another account.',
    zh: '该账号的其他系统在强制刷新令牌：请统一使用不带 force_refresh 的 stable_token。如设置了 ACCESS_TOKEN_URL，则是该服务给出了旧令牌或其他账号的令牌。',
  },
}

const approval: Row = {
  name: 'ip-approval',
  en: "The account's administrator has to approve this server's address first",
  zh: '须先由公众号管理员批准本服务器的 IP 地址',
  fix: {
    en: 'Ask the administrator to confirm the request that WeChat has sent to their phone, then run this again.',
    zh: '请管理员在手机微信上确认微信发出的请求，然后重新运行本命令。',
  },
}

const rejected = (en: string, zh: string): Row => ({
  name: 'ip-rejected',
  en: "The account's administrator rejected this server's address",
  zh: '公众号管理员拒绝了本服务器的 IP 地址',
  fix: {
    en: `Wait ${en}, run this again and have the administrator approve; or add the address to the IP allow-list.`,
    zh: `请等待 ${zh}后重新运行本命令，并由管理员批准；或将该地址加入 IP 白名单。`,
  },
})

const rows: Record<number, Row> = {
  [-1]: {
    name: 'busy',
    passes: true,
    en: 'WeChat is busy',
    zh: '微信系统繁忙',
    fix: { en: 'Run this again in a minute.', zh: '请一分钟后重新运行本命令。' },
  },
  40013: {
    name: 'appid',
    en: 'WeChat does not know the appid',
    zh: '微信不认识该 AppID',
    fix: {
      en: `Copy WECHAT_APP_ID from ${CONSOLE.en}.`,
      zh: `请从${CONSOLE.zh}重新复制 WECHAT_APP_ID。`,
    },
  },
  40125: secret,
  40243: {
    name: 'frozen',
    en: 'The AppSecret is frozen',
    zh: 'AppSecret 已被冻结',
    fix: {
      en: `Unfreeze it in ${CONSOLE.en}; that takes about 10 minutes.`,
      zh: `请在${CONSOLE.zh}解冻，约 10 分钟后生效。`,
    },
  },
  45009: {
    name: 'quota',
    en: "Today's quota of this call is used up",
    zh: '该接口今日的调用额度已用完',
    fix: {
      en: 'Wait until midnight in Beijing, or clear the quota in the console (10 times a month). Then find out who makes so many calls.',
      zh: '请等到北京时间零点，或在公众平台清零（每月 10 次），并查明调用过多的来源。',
    },
  },
  45011: {
    name: 'minute-quota',
    passes: true,
    en: 'There were too many of these calls in this minute',
    zh: '本分钟内该接口调用过于频繁',
    fix: { en: 'Run this again in the next minute.', zh: '请下一分钟重新运行本命令。' },
  },
  48001: {
    name: 'unauthorized',
    en: 'The account has no right to this call',
    zh: '该账号没有此接口的权限',
    fix: {
      en: 'Parametric QR codes are for verified service accounts (认证服务号) whose yearly verification has not lapsed: see 接口权限 in the console. To develop, use a test account (测试号).',
      zh: '带参数二维码仅限认证服务号，且年审未过期：请在公众平台“接口权限”中查看。开发时可使用测试号。',
    },
  },
  48004: {
    name: 'banned',
    en: 'WeChat has banned this call for the account',
    zh: '微信已封禁该账号的此接口',
    fix: {
      en: "Read the notices in WeChat's console, which name the reason and how to appeal.",
      zh: '请查看公众平台的通知，其中有封禁原因与申诉方式。',
    },
  },
  50002: {
    name: 'restricted',
    en: 'The account is frozen or restricted',
    zh: '该账号已被冻结或限制',
    fix: {
      en: "Read the notices in WeChat's console, which name the reason and how to appeal.",
      zh: '请查看公众平台的通知，其中有限制原因与申诉方式。',
    },
  },
  89501: approval,
  89503: approval,
  89506: rejected('24 hours', '24 小时'),
  89507: rejected('one hour', '1 小时'),
}

const unknown: Row = {
  name: 'refused',
  en: 'WeChat refused the call',
  zh: '微信拒绝了该调用',
  fix: {
    en: "Look the errcode up in WeChat's documentation, or the rid in its console's API diagnosis.",
    zh: '请在微信文档中查询该 errcode，或在公众平台的接口诊断工具中查询 rid。',
  },
}

/** The finding for an answer that is a refusal, or undefined for one that is not. */
export function toRefusal(area: Area, { errcode = 0, errmsg = '' }: ApiAnswer): Finding | undefined {
  if (errcode === 0) return undefined
  const { name, passes, en, zh, fix } = rowOf(area, Number(errcode), String(errmsg))
  const reference = referenceOf(Number(errcode), String(errmsg))
  const trouble = { en: `${en} (${reference.join(', ')}).`, zh: `${zh}（${reference.join('，')}）。`, fix }
  return (passes ? warn : wrong)(`${area}.${name}`, trouble)
}

function rowOf(area: Area, errcode: number, errmsg: string): Row {
  if (errcode === 40164 || errcode === 61004) return notInList(addressIn(errmsg))
  // One code, two meanings: where no access token was sent, it is the AppSecret that is not valid.
  if (errcode === 40001 && area.startsWith('token')) return secret
  if (TOKEN_DEAD.has(errcode)) return dead
  return rows[errcode] ?? unknown
}

function notInList(address: string | undefined): Row {
  const { en, zh } = address ? { en: address, zh: ` ${address} ` } : { en: 'it', zh: '该地址' }
  return {
    name: 'ip',
    en: `This server's address${address ? `, ${address},` : ''} is not in the account's IP allow-list`,
    zh: `本服务器的地址${address ? ` ${address} ` : ''}不在公众号的 IP 白名单中`,
    fix: {
      en: `Add ${en} to IP白名单 in ${CONSOLE.en} and wait some minutes. If it changes from run to run, give this server a fixed way out (NAT), or use ACCESS_TOKEN_URL.`,
      zh: `请在${CONSOLE.zh}将${zh}加入 IP 白名单，几分钟后生效。如该地址每次不同，请为服务器配置固定出口（NAT），或使用 ACCESS_TOKEN_URL。`,
    },
  }
}

/** `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`: the first word of this shape is the one to add. */
function addressIn(errmsg: string): string | undefined {
  const words = errmsg.split(/[\s,]+/)
  return words.find((word) => /^\d{1,3}(\.\d{1,3}){3}$/.test(word)) ?? words.find((word) => isIpv6(word))
}

const isIpv6 = (word: string) => /^[0-9a-f:]+$/i.test(word) && word.split(':').length > 2

/** `rid` is what the console's diagnosis asks for; the rest of `errmsg` may hold anything. */
function referenceOf(errcode: number, errmsg: string): string[] {
  const rid = /\brid: ([\w-]{1,64})/.exec(errmsg)?.[1]
  return rid ? [`errcode ${errcode}`, `rid ${rid}`] : [`errcode ${errcode}`]
}
