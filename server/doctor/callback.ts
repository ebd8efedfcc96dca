/**
 * Sends the request that WeChat's console sends to check a URL. Reports whether the callback can be reached and gives the right
 * answer.
 */
import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Bilingual } from '../errors.ts'
import { CONSOLE } from '../wechat/console.ts'
import { signatureOf } from '../wechat/signature.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { describeFailure, type HttpFailure, type HttpResult, type ProbeDeps, sendRequest } from './http-probe.ts'
import { checkPublicUrl } from './public-url.ts'

// WeChat waits 5 s for the answer to a delivery. A delivery takes longer than this check, so the limit here is lower.
const SLOW_MS = 1_000

/** Sends the GET that WeChat sends when the URL is saved in its console, then the same request with a wrong signature. */
export async function checkCallback({ publicUrl, wechat }: Config, deps: ProbeDeps): Promise<Finding[]> {
  if (publicUrl === undefined) return [notSet]
  const echo = newEcho(wechat.token, deps.clock())
  const get = (signature: string) => sendRequest(deps, `${publicUrl}/wechat/callback?${echo.queryWith(signature)}`)
  const address = checkPublicUrl(publicUrl, wechat.apiBase)
  const answered = findingOfEcho(await get(echo.signature), echo.echostr)
  if (answered.level === 'wrong') return [...address, answered]
  return [...address, answered, findingOfForgery(await get('0'.repeat(40)))]
}

/** The URL check of WeChat's console, with the right signature or a wrong one. */
export function newEcho(token: string, now: number) {
  const echostr = toDecimal(randomBytes(8))
  const timestamp = String(Math.floor(now / 1000))
  const nonce = toDecimal(randomBytes(4))
  return {
    echostr,
    signature: signatureOf(token, timestamp, nonce),
    queryWith: (signature: string) => String(new URLSearchParams({ signature, timestamp, nonce, echostr })),
  }
}

/** WeChat sends decimal digits. The number is above 2^53, so that a callback that parses it as a number changes the value. */
const toDecimal = (bytes: Buffer) => `9${BigInt(`0x${bytes.toString('hex')}`)}`

function findingOfEcho(result: HttpResult, echostr: string): Finding {
  if (result.kind !== 'answered') return unreachable(result)
  if (result.status !== 200) return wrongStatus(result.status)
  if (!result.body.equals(Buffer.from(echostr))) return wrongBody(describeBody(result.body.toString(), echostr))
  if (result.tookMs > SLOW_MS) return slow(result.tookMs)
  return ok('callback.ok', {
    en: `The callback passed WeChat's check in time. To verify that WeChat has the same Token and EncodingAESKey, save the URL in ${CONSOLE.push.en}.`,
    zh: `回调地址及时通过了微信的校验。要确认微信的 Token 与 EncodingAESKey 与此一致，请在${CONSOLE.push.zh}提交该 URL。`,
  })
}

function findingOfForgery(result: HttpResult): Finding {
  if (result.kind !== 'answered') return unreachable(result)
  if (result.status === 403) {
    return ok('callback.forgery', {
      en: 'The callback refuses a wrong signature.',
      zh: '回调地址会拒绝错误的签名。',
    })
  }
  return wrong('callback.forgery', {
    en: `The callback answered a wrong signature with HTTP ${result.status}, expected 403.`,
    zh: `签名错误时，回调地址返回 HTTP ${result.status}，应为 403。`,
    fix: {
      en: 'A cache or another program answers instead of wechat-bind: route PUBLIC_URL to wechat-bind, without a cache.',
      zh: '可能是缓存或其他程序代替 wechat-bind 作出响应：请将 PUBLIC_URL 指向 wechat-bind，且不要缓存。',
    },
  })
}

function wrongStatus(status: number): Finding {
  const [id, fix] =
    status === 403
      ? (['callback.refused', useSameToken] as const)
      : status >= 300 && status < 400
        ? (['callback.redirect', avoidRedirect] as const)
        : (['callback.status', routeToServer] as const)
  return wrong(id, {
    en: `The callback answered WeChat's check with HTTP ${status}, expected 200.`,
    zh: `微信校验时，回调地址返回 HTTP ${status}，应为 200。`,
    fix,
  })
}

const useSameToken: Bilingual = {
  en: 'Start the server with the same WECHAT_TOKEN as this command, and check the clocks of both machines. If a firewall sent the answer, allow the requests of WeChat.',
  zh: '请确认服务与本命令使用同一个 WECHAT_TOKEN，且两台机器的时钟准确。如响应来自防火墙，请放行微信。',
}

const avoidRedirect: Bilingual = {
  en: 'WeChat does not follow redirects: set PUBLIC_URL to the address that the redirect points to.',
  zh: '微信不会跟随重定向：请将 PUBLIC_URL 设为重定向后的地址。',
}

const routeToServer: Bilingual = {
  en: 'Run "wechat-bind serve", and let the proxy forward /wechat/callback to it with an unchanged query.',
  zh: '请运行 wechat-bind serve，并让代理将 /wechat/callback 连同查询参数原样转发给它。',
}

const unreachable = (failure: HttpFailure): Finding => {
  const { en, zh } = describeFailure(failure)
  return wrong(failure.kind === 'timeout' ? 'callback.late' : 'callback.unreachable', {
    en: `The callback under PUBLIC_URL ${en}.`,
    zh: `PUBLIC_URL 下的回调地址${zh}。`,
    fix: {
      en: 'Run "wechat-bind serve". Check that the host name resolves, that the certificate chain is complete and that the firewall allows port 80 or 443. If only this machine cannot reach its own public address, run doctor on another machine.',
      zh: '请运行 wechat-bind serve，并确认域名可解析、证书链完整、防火墙放行 80 或 443 端口。如仅本机无法访问自己的公网地址，请在另一台机器上运行 doctor。',
    },
  })
}

const slow = (tookMs: number): Finding =>
  warn('callback.slow', {
    en: `The callback took ${(tookMs / 1000).toFixed(1)} s to answer WeChat's check. WeChat waits at most 5 s.`,
    zh: `回调地址用了 ${(tookMs / 1000).toFixed(1)} 秒才通过微信的校验。微信最多等待 5 秒。`,
    fix: {
      en: 'Look for the delay on the way to the server: a slow proxy, a distant region, or an instance that starts on each request.',
      zh: '请检查到服务之间的延迟：代理过慢、地域过远，或实例按请求冷启动。',
    },
  })

const wrongBody = ({ en, zh }: Bilingual): Finding =>
  wrong('callback.body', {
    en: `The callback must answer WeChat's check with the echostr, byte for byte, but ${en}.`,
    zh: `回调地址须逐字节原样返回 echostr，但${zh}。`,
    fix: {
      en: 'Route PUBLIC_URL to wechat-bind itself. No proxy or framework may change its answers.',
      zh: '请将 PUBLIC_URL 直接指向 wechat-bind，代理或框架不得改动其响应。',
    },
  })

/** Describes the common ways in which the answer differs from the echostr. */
function describeBody(body: string, echostr: string): Bilingual {
  if (body === '') return { en: 'the body is empty', zh: '响应正文为空' }
  if (/^\s*</.test(body)) return { en: 'the body is an HTML page', zh: '响应正文是 HTML 页面' }
  if (body.includes(echostr)) return { en: 'the body has other text around it', zh: '响应正文前后有其他内容' }
  return { en: 'the body is something else', zh: '响应正文是其他内容' }
}

const notSet = warn('callback.unset', {
  en: 'The callback was not checked, because PUBLIC_URL is not set.',
  zh: '没有设置 PUBLIC_URL，因此未检查回调地址。',
  fix: {
    en: 'Set PUBLIC_URL to the address of this server on the internet, for example https://bind.example.com.',
    zh: '请将 PUBLIC_URL 设为本服务在互联网上的地址，例如 https://bind.example.com。',
  },
})
