/**
 * Checks the web authorization (网页授权): the AppSecret, the URL to which WeChat returns the browser, and the files that verify the
 * domain.
 */
import type { Config } from '../config/config.ts'
import { toCodeRequest } from '../wechat/api.ts'
import { CONSOLE } from '../wechat/console.ts'
import { apiUnreachable } from './access-token.ts'
import { findErrcode } from './errcode-finding.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { describeFailure, type HttpResult, type ProbeDeps, requestJson, sendRequest } from './http-probe.ts'

/** WeChat's answer to a code that it has never issued. */
const INVALID_CODE = 40029

export async function checkOauth(config: Config, deps: ProbeDeps): Promise<Finding[]> {
  const [secret, ...others] = await Promise.all([
    checkSecret(config, deps),
    ...(config.publicUrl === undefined
      ? []
      : [checkPath(config.publicUrl, deps), ...checkVerifyFiles(config.publicUrl, config, deps)]),
  ])
  return [secret, ...(config.publicUrl === undefined ? [noPublicUrl] : [domainOf(config.publicUrl)]), ...others]
}

/** WeChat checks the AppID and the AppSecret before the code. The call needs both, even with ACCESS_TOKEN_URL. */
async function checkSecret({ wechat }: Config, deps: ProbeDeps): Promise<Finding> {
  const result = await requestJson(deps, toCodeRequest(wechat, 'doctor'))
  if (result.kind === 'failed') return apiUnreachable('oauth.unreachable', result.fault)
  const { errcode = 0 } = result.answer
  if (errcode === INVALID_CODE || errcode === 0) {
    return ok('oauth.secret', {
      en: 'WeChat accepts the AppID and the AppSecret for the web authorization.',
      zh: '微信接受网页授权所用的 AppID 与 AppSecret。',
    })
  }
  return findErrcode('oauth', result.answer)!
}

/** The server answers an unknown state with 410. */
async function checkPath(publicUrl: string, deps: ProbeDeps): Promise<Finding> {
  const result = await sendRequest(deps, `${publicUrl}/wechat/oauth?state=doctor`)
  if (result.kind === 'answered' && result.status === 410 && result.body.includes('PROOF_EXPIRED')) {
    return ok('oauth.path', {
      en: 'PUBLIC_URL/wechat/oauth, where WeChat returns the browser, reaches this server.',
      zh: '微信返回浏览器的路径可到达本服务。',
    })
  }
  const { en, zh } = describe(result)
  return wrong('oauth.path', {
    en: `PUBLIC_URL/wechat/oauth ${en}; expected the answer of wechat-bind, HTTP 410.`,
    zh: `PUBLIC_URL/wechat/oauth ${zh}；应为 wechat-bind 的响应 HTTP 410。`,
    fix: {
      en: 'Let the proxy pass /wechat/oauth to wechat-bind, as deploy/nginx.conf does, and restart wechat-bind after WECHAT_OAUTH was changed.',
      zh: '请让代理将 /wechat/oauth 转发给 wechat-bind（见 deploy/nginx.conf）；更改 WECHAT_OAUTH 后请重启 wechat-bind。',
    },
  })
}

/** WeChat looks for the files at the root of the domain. */
function checkVerifyFiles(publicUrl: string, { oauth }: Config, deps: ProbeDeps): Promise<Finding>[] {
  const { origin } = new URL(publicUrl)
  return oauth.verifyFiles.map(async ({ name, content }) => {
    const result = await sendRequest(deps, `${origin}/${name}`)
    if (result.kind === 'answered' && result.status === 200 && result.body.equals(Buffer.from(content))) {
      return ok('oauth.file', { en: `${name} is served at the root.`, zh: `${name} 可在域名根目录访问。` })
    }
    const { en, zh } = describe(result)
    return wrong('oauth.file', {
      en: `The file ${origin}/${name} ${en}; expected the content of WECHAT_VERIFY_FILE.`,
      zh: `文件 ${origin}/${name} ${zh}；应为 WECHAT_VERIFY_FILE 中的内容。`,
      fix: {
        en: 'Let the proxy pass /MP_verify_*.txt of this domain to wechat-bind, or put the file there.',
        zh: '请让代理将该域名的 /MP_verify_*.txt 转发给 wechat-bind，或在该处放置此文件。',
      },
    })
  })
}

function describe(result: HttpResult) {
  if (result.kind !== 'answered') return describeFailure(result)
  return { en: `answered HTTP ${result.status}`, zh: `返回 HTTP ${result.status}` }
}

/** No API of WeChat returns these domains. */
const domainOf = (publicUrl: string): Finding => {
  const { hostname } = new URL(publicUrl)
  return ok('oauth.domain', {
    en: `WeChat returns the browser only to a domain of the account. No API returns these domains: check that 网页授权域名 in ${CONSOLE.webDomain.en} contains ${hostname}. If not, WeChat shows the error 10003.`,
    zh: `微信只返回到该账号的网页授权域名，且没有查询接口：请确认${CONSOLE.webDomain.zh}的“网页授权域名”中有 ${hostname}，否则微信显示错误 10003。`,
  })
}

const noPublicUrl = warn('oauth.domain', {
  en: 'PUBLIC_URL is not set. WeChat therefore returns the browser to the address to which the page sends its requests.',
  zh: '没有设置 PUBLIC_URL，因此向微信提供的返回地址取自各页面请求所用的地址。',
  fix: {
    en: `Set PUBLIC_URL to the address of this server on the internet, and enter its domain as 网页授权域名 in ${CONSOLE.webDomain.en}.`,
    zh: `请将 PUBLIC_URL 设为本服务在互联网上的地址，并将其域名填入${CONSOLE.webDomain.zh}的“网页授权域名”。`,
  },
})
