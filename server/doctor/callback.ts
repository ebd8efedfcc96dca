/** Whether the world reaches the callback and it answers as WeChat's console asks, by asking just as the console does. */
import { randomBytes } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Words } from '../config/env-reader.ts'
import { signatureOf } from '../wechat/signature.ts'
import { judgeAddress } from './callback-address.ts'
import { type Exchange, exchange, type Reach, silenceOf } from './exchange.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'

// WeChat waits 5 s for everything that a delivery needs; a check this slow leaves little of it.
const SLOW_MS = 1_000

/** The GET that saving the URL in the console sends, then the same with a signature that is wrong. */
export async function checkCallback({ publicUrl, wechat }: Config, reach: Reach): Promise<Finding[]> {
  if (publicUrl === undefined) return [unset]
  const echostr = toDecimal(randomBytes(8))
  const timestamp = String(Math.floor(reach.clock() / 1000))
  const nonce = toDecimal(randomBytes(4))
  const get = (signature: string) => {
    const query = new URLSearchParams({ signature, timestamp, nonce, echostr })
    return exchange(reach, `${publicUrl}/wechat/callback?${query}`, {})
  }
  const address = judgeAddress(publicUrl, wechat.apiBase)
  const answer = judgeAnswer(await get(signatureOf(wechat.token, timestamp, nonce)), echostr)
  if (answer.level === 'wrong') return [...address, answer]
  return [...address, answer, judgeForgery(await get('0'.repeat(40)))]
}

/** As WeChat's are: digits alone, and past 2^53 so that a callback that takes it for a number is found out. */
const toDecimal = (bytes: Buffer) => `9${BigInt(`0x${bytes.toString('hex')}`)}`

function judgeAnswer(answer: Exchange, echostr: string): Finding {
  if (answer.kind !== 'heard') return unheard(answer)
  if (answer.status !== 200) return judgeStatus(answer.status)
  if (!answer.body.equals(Buffer.from(echostr))) return changed(oddityOf(answer.body.toString(), echostr))
  if (answer.tookMs > SLOW_MS) return slow(answer.tookMs)
  return ok('callback.ok', {
    en: "The callback answers WeChat's check in time. Whether the console has the same Token and EncodingAESKey shows when you save it there.",
    zh: '回调地址能及时通过微信的校验。公众平台填写的 Token 与 EncodingAESKey 是否一致，在那里保存时可知。',
  })
}

function judgeForgery(answer: Exchange): Finding {
  if (answer.kind !== 'heard') return unheard(answer)
  if (answer.status === 403) {
    return ok('callback.forgery', {
      en: 'The callback refuses a wrong signature.',
      zh: '回调地址会拒绝错误的签名。',
    })
  }
  return wrong('callback.forgery', {
    en: `The callback answers a wrong signature with HTTP ${answer.status}, not 403.`,
    zh: `对错误的签名，回调地址返回 HTTP ${answer.status}，而非 403。`,
    fix: {
      en: 'Something else answers in its place, such as a cache or another program: let PUBLIC_URL lead to wechat-bind, uncached.',
      zh: '可能是缓存或其他程序在代为回答：请让 PUBLIC_URL 直达 wechat-bind，且不缓存。',
    },
  })
}

function judgeStatus(status: number): Finding {
  const [id, fix] =
    status === 403
      ? (['callback.refused', sameToken] as const)
      : status >= 300 && status < 400
        ? (['callback.redirect', noRedirect] as const)
        : (['callback.status', leadHere] as const)
  return wrong(id, {
    en: `The callback answers WeChat's check with HTTP ${status}, not 200.`,
    zh: `对微信的校验，回调地址返回 HTTP ${status}，而非 200。`,
    fix,
  })
}

const sameToken: Words = {
  en: 'Start the server with the same WECHAT_TOKEN as this command has, and see that both clocks are right. If a firewall answers, let WeChat pass.',
  zh: '请确认服务器与本命令使用同一个 WECHAT_TOKEN，且双方时钟准确；如为防火墙所拒，请放行微信。',
}

const noRedirect: Words = {
  en: 'WeChat follows no redirect: set PUBLIC_URL to where it leads in the end.',
  zh: '微信不会跟随重定向：请将 PUBLIC_URL 设为最终地址。',
}

const leadHere: Words = {
  en: 'Start wechat-bind serve, and let the proxy pass /wechat/callback on to it with its query as it is.',
  zh: '请启动 wechat-bind serve，并让代理将 /wechat/callback 连同查询参数原样转给它。',
}

const unheard = (answer: Exclude<Exchange, { kind: 'heard' }>): Finding => {
  const { en, zh } = silenceOf(answer)
  return wrong(answer.kind === 'late' ? 'callback.late' : 'callback.unreachable', {
    en: `The callback under PUBLIC_URL ${en}.`,
    zh: `PUBLIC_URL 下的回调地址${zh}。`,
    fix: {
      en: 'Start wechat-bind serve; see that the name resolves, the certificate is complete and the firewall lets port 80 or 443 pass. Where only this machine cannot reach its own public address, run doctor on another.',
      zh: '请启动 wechat-bind serve，并确认域名可解析、证书链完整、防火墙放行 80 或 443 端口。如仅本机无法访问自己的公网地址，请换一台机器运行 doctor。',
    },
  })
}

const slow = (tookMs: number): Finding =>
  warn('callback.slow', {
    en: `The callback took ${(tookMs / 1000).toFixed(1)} s to answer WeChat's check; WeChat waits 5 s at most.`,
    zh: `回调地址用了 ${(tookMs / 1000).toFixed(1)} 秒才通过微信的校验；微信最多等 5 秒。`,
    fix: {
      en: 'Look for what lies between: a slow proxy, a far region, a machine that wakes up for each request.',
      zh: '请检查中间环节：代理过慢、地域过远，或实例按请求冷启动。',
    },
  })

const changed = ({ en, zh }: Words): Finding =>
  wrong('callback.body', {
    en: `The callback does not answer WeChat's check with the echostr, byte for byte: ${en}.`,
    zh: `回调地址没有逐字节原样返回 echostr：${zh}。`,
    fix: {
      en: 'Let PUBLIC_URL lead to wechat-bind itself, and let no proxy or framework change what it answers.',
      zh: '请让 PUBLIC_URL 直达 wechat-bind，且代理或框架不得改动它的回答。',
    },
  })

/** What became of the echostr, by how it usually goes wrong. */
function oddityOf(body: string, echostr: string): Words {
  if (body === '') return { en: 'the body is empty', zh: '正文为空' }
  if (/^\s*</.test(body)) return { en: 'the body is a page of HTML', zh: '正文是 HTML 页面' }
  if (body.includes(echostr)) return { en: 'something was put around it', zh: '前后多了其他内容' }
  return { en: 'the body is something else', zh: '正文是其他内容' }
}

const unset = warn('callback.unset', {
  en: 'The callback was not checked: PUBLIC_URL is not set.',
  zh: '未检查回调地址：没有设置 PUBLIC_URL。',
  fix: {
    en: 'Set PUBLIC_URL to how the world reaches this server, for example https://bind.example.com.',
    zh: '请将 PUBLIC_URL 设为外网访问本服务的地址，例如 https://bind.example.com。',
  },
})
