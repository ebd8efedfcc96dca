/** Asks WeChat whether it can resolve and reach the callback's host, and which addresses firewalls have to allow. */
import type { Bilingual } from '../errors.ts'
import { CONSOLE } from '../wechat/console.ts'
import { type ApiAnswer, addAccessToken, postJson } from '../wechat/http.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { type JsonResult, type ProbeDeps, requestJson } from './http-probe.ts'
import { isAddressOrRange } from './ip-address.ts'
import type { Access } from './qrcode.ts'

// "A wrong URL; usually no callback URL is set": https://developers.weixin.qq.com/doc/service/api/base/api_callbackcheck
const NO_CALLBACK_URL = 40201

// `check_operator: DEFAULT` lets WeChat choose the carrier by the address.
const CHECK_REQUEST = { action: 'all', check_operator: 'DEFAULT' }

const call = (deps: ProbeDeps, { apiBase, accessToken }: Access, path: string, init?: RequestInit) =>
  requestJson(deps, addAccessToken(apiBase + path, accessToken), init)

export async function checkReach(access: Access, deps: ProbeDeps): Promise<Finding> {
  const result = await call(deps, access, '/cgi-bin/callback/check', postJson(CHECK_REQUEST))
  if (result.kind === 'answered' && result.answer.errcode === NO_CALLBACK_URL) return noCallbackUrl
  const answer = successOf(result)
  const resolved = addressesIn(rowsIn(answer?.dns).map(({ ip }) => ip))
  if (!answer || !Array.isArray(answer.dns)) return unknownReach(result)
  if (resolved.length === 0) return unresolved
  const pings = rowsIn(answer.ping).filter(({ ip }) => isAddressOrRange(ip))
  const lost = pings.filter(({ package_loss }) => package_loss !== '0%').map(({ ip }) => String(ip))
  return lost.length > 0 ? pingLost(resolved, lost) : reached(resolved, pings.length > 0)
}

function reached(resolved: string[], isPinged: boolean): Finding {
  const list = resolved.join(', ')
  return ok('reach.ok', {
    en: `WeChat resolves the host name of the callback URL to ${list}${isPinged ? ', and the host answers pings' : ''}.`,
    zh: `微信将回调 URL 的域名解析为 ${list}${isPinged ? '，且能 ping 通' : ''}。`,
  })
}

const noCallbackUrl = wrong('reach.unset', {
  en: 'No callback URL is set for the account (errcode 40201), so WeChat does not send scans to this server.',
  zh: '该账号没有设置回调 URL（errcode 40201）：微信不会向本服务推送扫码。',
  fix: {
    en: `Start the server, then enter https://<your host>/wechat/callback as the URL in ${CONSOLE.push.en}, save it and enable it.`,
    zh: `请先启动服务，再到${CONSOLE.push.zh}将 URL 填为 https://<您的域名>/wechat/callback，提交并启用。`,
  },
})

const unresolved = wrong('reach.dns', {
  en: 'WeChat cannot resolve the host name of the callback URL.',
  zh: '微信无法解析回调 URL 的域名。',
  fix: {
    en: `Check the URL in ${CONSOLE.push.en}, and that public DNS servers in mainland China resolve its host name.`,
    zh: `请检查${CONSOLE.push.zh}中的 URL，并确认其域名可由中国大陆的公共 DNS 解析。`,
  },
})

function pingLost(resolved: string[], lost: string[]): Finding {
  return warn('reach.ping', {
    en: `WeChat resolves the host name of the callback URL to ${resolved.join(', ')}, but ${lost.join(', ')} did not answer a ping.`,
    zh: `微信将回调 URL 的域名解析为 ${resolved.join(', ')}，但 ping 不通 ${lost.join(', ')}。`,
    fix: {
      en: 'You can ignore this warning if callbacks arrive: a firewall then drops only the pings. Otherwise remove unused addresses from the DNS, and allow port 80 or 443 in the firewall.',
      zh: '如能收到回调，可忽略：防火墙只是丢弃了 ping。否则请从 DNS 中删除停用的地址，并让防火墙放行 80 或 443 端口。',
    },
  })
}

const unknownReach = (result: JsonResult): Finding =>
  warn('reach.unknown', {
    en: `WeChat did not report whether it reaches the callback${reasonOf(result).en}.`,
    zh: `微信没有返回能否访问回调地址${reasonOf(result).zh}。`,
    fix: {
      en: `You can ignore this warning if callbacks arrive. Otherwise check the URL in ${CONSOLE.push.en}.`,
      zh: `如能收到回调，可忽略。否则请检查${CONSOLE.push.zh}中的 URL。`,
    },
  })

/** The addresses that callbacks come from, for a firewall in front of this server. */
export const checkCallbackAddresses = (access: Access, deps: ProbeDeps): Promise<Finding> =>
  checkAddresses(access, deps, '/cgi-bin/getcallbackip', 'callback-addresses', {
    en: 'that a firewall must allow for incoming callbacks',
    zh: '入站防火墙须放行的回调来源地址',
  })

/** The addresses of WeChat's API, for a firewall that limits this server's outgoing connections. */
export const checkApiAddresses = (access: Access, deps: ProbeDeps): Promise<Finding> =>
  checkAddresses(access, deps, '/cgi-bin/get_api_domain_ip', 'api-addresses', {
    en: 'that a firewall must allow for outgoing calls to its API',
    zh: '出站防火墙须放行的微信接口地址',
  })

/** `purpose` is the rest of a sentence about the addresses. */
async function checkAddresses(
  access: Access,
  deps: ProbeDeps,
  path: string,
  name: string,
  purpose: Bilingual,
): Promise<Finding> {
  const result = await call(deps, access, path)
  const list = successOf(result)?.ip_list
  const addresses = addressesIn(Array.isArray(list) ? list : [])
  if (addresses.length > 0) {
    const [en, zh] = [
      `WeChat names ${addresses.length} address(es) ${purpose.en}.`,
      `${purpose.zh}，共 ${addresses.length} 个。`,
    ]
    return { ...ok(`${name}.ok`, { en, zh }), addresses }
  }
  return warn(`${name}.unknown`, {
    en: `WeChat did not report the addresses ${purpose.en}${reasonOf(result).en}.`,
    zh: `微信没有返回${purpose.zh}${reasonOf(result).zh}。`,
    fix: {
      en: 'You can ignore this warning if no firewall filters by address.',
      zh: '如防火墙不按地址过滤，可忽略。',
    },
  })
}

const successOf = (result: JsonResult): ApiAnswer | undefined =>
  result.kind === 'answered' && (result.answer.errcode ?? 0) === 0 ? result.answer : undefined

function reasonOf(result: JsonResult): Bilingual {
  if (result.kind === 'failed') return { en: ` (it ${result.fault.en})`, zh: `（${result.fault.zh}）` }
  const { errcode = 0 } = result.answer
  return errcode === 0 ? { en: '', zh: '' } : { en: ` (errcode ${errcode})`, zh: `（errcode ${errcode}）` }
}

const rowsIn = (list: unknown): Record<string, unknown>[] =>
  Array.isArray(list) ? list.filter((row) => typeof row === 'object' && row !== null) : []

/** Other texts of the answer are left out, because they may be secret. */
const addressesIn = (list: unknown[]): string[] => list.filter(isAddressOrRange)
