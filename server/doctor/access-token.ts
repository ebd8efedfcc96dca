/** Whether an access token can be had: from WeChat, or from the operator's own token service. */
import type { Config } from '../config/config.ts'
import type { Words } from '../config/env-reader.ts'
import { type ApiAnswer, postJson } from '../wechat/http.ts'
import { ask, type CallResult, type Reach } from './exchange.ts'
import { type Finding, ok, wrong } from './finding.ts'
import { toRefusal } from './refusal.ts'

export type AccessTokenCheck = {
  finding: Finding
  accessToken: string | undefined
  /** By WeChat's clock; another token service's says nothing of it. */
  skewMs: number | undefined
}

export async function checkAccessToken({ wechat }: Config, reach: Reach): Promise<AccessTokenCheck> {
  const isService = wechat.accessTokenUrl !== undefined
  const asked = isService ? await ask(reach, wechat.accessTokenUrl!) : await askWechat(wechat, reach)
  return {
    finding: isService ? judgeService(asked) : judgeWechat(asked),
    accessToken: tokenOf(asked),
    skewMs: !isService && asked.kind === 'answer' ? asked.skewMs : undefined,
  }
}

/** As the server asks: never with `force_refresh`, which kills the token that other systems hold. */
function askWechat({ appId: appid, appSecret: secret, apiBase }: Config['wechat'], reach: Reach): Promise<CallResult> {
  const body = { grant_type: 'client_credential', appid, secret, force_refresh: false }
  return ask(reach, `${apiBase}/cgi-bin/stable_token`, postJson(body))
}

function judgeWechat(asked: CallResult): Finding {
  if (asked.kind === 'silent') return unreachable(asked.what)
  const refusal = toRefusal('token', asked.answer)
  if (refusal) return refusal
  if (tokenOf(asked)) return ok('token.ok', { en: 'WeChat gives an access token.', zh: '已从微信取得 access_token。' })
  return unreachable({ en: 'answered without an access token', zh: '的回答中没有 access_token' })
}

/** Also for the calls that bear a token: the cause and the fix are the same. */
export function unreachable({ en, zh }: Words, id = 'token.unreachable'): Finding {
  return wrong(id, {
    en: `WeChat's API ${en}.`,
    zh: `微信接口${zh}。`,
    fix: {
      en: 'Let this server reach https://api.weixin.qq.com on port 443 (firewall, DNS), and check WECHAT_API_BASE if it is set.',
      zh: '请确认本服务器可访问 https://api.weixin.qq.com 的 443 端口（防火墙、DNS）；如设置了 WECHAT_API_BASE，请检查其值。',
    },
  })
}

function judgeService(asked: CallResult): Finding {
  if (asked.kind === 'silent') return serviceFails('token-service.unreachable', asked.what)
  const refusal = toRefusal('token-service', asked.answer)
  if (refusal) return refusal
  if (tokenOf(asked)) {
    return ok('token-service.ok', {
      en: 'The token service (ACCESS_TOKEN_URL) gives an access token.',
      zh: '已从令牌服务（ACCESS_TOKEN_URL）取得 access_token。',
    })
  }
  return serviceFails('token-service.answer', {
    en: 'answered without a living access token',
    zh: '的回答中没有有效的 access_token',
  })
}

function serviceFails(id: string, { en, zh }: Words): Finding {
  return wrong(id, {
    en: `The token service (ACCESS_TOKEN_URL) ${en}.`,
    zh: `令牌服务（ACCESS_TOKEN_URL）${zh}。`,
    fix: {
      en: 'Make it answer GET with HTTP 200 and {"access_token":"…","expires_in":7200} within 4 s, or leave ACCESS_TOKEN_URL out.',
      zh: '请使其对 GET 请求在 4 秒内返回 HTTP 200 与 {"access_token":"…","expires_in":7200}，或不设置 ACCESS_TOKEN_URL。',
    },
  })
}

function tokenOf(asked: CallResult): string | undefined {
  if (asked.kind === 'silent') return undefined
  const { access_token, expires_in }: ApiAnswer = asked.answer
  const isAlive = typeof expires_in === 'number' && expires_in > 0
  return typeof access_token === 'string' && access_token !== '' && isAlive ? access_token : undefined
}
