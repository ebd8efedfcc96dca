/** Checks that an access token can be fetched, from WeChat or from the operator's own token service. */
import type { Config } from '../config/config.ts'
import type { Bilingual } from '../errors.ts'
import { parseAccessToken, toTokenRequest } from '../wechat/access-token.ts'
import { findErrcode } from './errcode-finding.ts'
import { type Finding, ok, wrong } from './finding.ts'
import { type JsonResult, type ProbeDeps, requestJson } from './http-probe.ts'

type AccessTokenCheck = {
  finding: Finding
  accessToken: string | undefined
  /** This machine's clock minus WeChat's. Undefined if WeChat was not called or sent no `Date`. */
  skewMs: number | undefined
}

export async function checkAccessToken({ wechat }: Config, deps: ProbeDeps): Promise<AccessTokenCheck> {
  const isService = wechat.accessTokenUrl !== undefined
  const { url, init } = toTokenRequest(wechat)
  const result = await requestJson(deps, url, init)
  return {
    finding: isService ? findingOfService(result) : findingOfWechat(result),
    accessToken: accessTokenIn(result),
    skewMs: !isService && result.kind === 'answered' ? result.skewMs : undefined,
  }
}

function findingOfWechat(result: JsonResult): Finding {
  if (result.kind === 'failed') return apiUnreachable('token.unreachable', result.fault)
  const refused = findErrcode('token', result.answer)
  if (refused) return refused
  if (accessTokenIn(result)) {
    return ok('token.ok', { en: 'WeChat returned an access token.', zh: '已从微信取得 access_token。' })
  }
  return apiUnreachable('token.unreachable', {
    en: 'answered without an access token',
    zh: '返回的内容中没有 access_token',
  })
}

/** A finding for any call of WeChat's API. `fault` is the predicate of the sentence. */
export function apiUnreachable(id: string, fault: Bilingual): Finding {
  return wrong(id, {
    en: `WeChat's API ${fault.en}.`,
    zh: `微信接口${fault.zh}。`,
    fix: {
      en: 'Check that this server can reach https://api.weixin.qq.com on port 443 (firewall, DNS). If WECHAT_API_BASE is set, check its value.',
      zh: '请确认本服务器可访问 https://api.weixin.qq.com 的 443 端口（防火墙、DNS）。如设置了 WECHAT_API_BASE，请检查其值。',
    },
  })
}

function findingOfService(result: JsonResult): Finding {
  if (result.kind === 'failed') return serviceFailed('token-service.unreachable', result.fault)
  const refused = findErrcode('token-service', result.answer)
  if (refused) return refused
  if (accessTokenIn(result)) {
    return ok('token-service.ok', {
      en: 'The token service (ACCESS_TOKEN_URL) returned an access token.',
      zh: '已从令牌服务（ACCESS_TOKEN_URL）取得 access_token。',
    })
  }
  return serviceFailed('token-service.answer', {
    en: 'answered without a valid access token',
    zh: '返回的内容中没有有效的 access_token',
  })
}

function serviceFailed(id: string, fault: Bilingual): Finding {
  return wrong(id, {
    en: `The token service (ACCESS_TOKEN_URL) ${fault.en}.`,
    zh: `令牌服务（ACCESS_TOKEN_URL）${fault.zh}。`,
    fix: {
      en: 'Make the service answer GET with HTTP 200 and {"access_token":"…","expires_in":7200} within 4 s, or do not set ACCESS_TOKEN_URL.',
      zh: '请让该服务在 4 秒内对 GET 请求返回 HTTP 200 与 {"access_token":"…","expires_in":7200}，或不设置 ACCESS_TOKEN_URL。',
    },
  })
}

const accessTokenIn = (result: JsonResult): string | undefined =>
  result.kind === 'failed' ? undefined : parseAccessToken(result.answer)?.token
