/** Checks the system at FORWARD_URL with the URL check of WeChat's console, which changes nothing there. */
import type { Config } from '../config/config.ts'
import { newEcho } from './callback.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { describeFailure, type ProbeDeps, sendRequest } from './http-probe.ts'

/** Returns no findings without FORWARD_URL. */
export async function checkForward({ forwardUrl, forwardErrors, wechat }: Config, deps: ProbeDeps): Promise<Finding[]> {
  if (forwardUrl === undefined) return []
  const echo = newEcho(wechat.token, deps.clock())
  const separator = forwardUrl.includes('?') ? '&' : '?'
  const result = await sendRequest(deps, `${forwardUrl}${separator}${echo.queryWith(echo.signature)}`)
  const lost =
    forwardErrors === 'retry'
      ? {
          en: 'WeChat gets 500 for its messages and gives up after three more tries',
          zh: '微信得到 500，重推三次后放弃',
        }
      : { en: 'its messages are lost (FORWARD_ERRORS=hide)', zh: '消息会丢失（FORWARD_ERRORS=hide）' }
  if (result.kind !== 'answered') {
    const { en, zh } = describeFailure(result)
    return [
      wrong(result.kind === 'timeout' ? 'forward.late' : 'forward.unreachable', {
        en: `The system at FORWARD_URL ${en}: ${lost.en}.`,
        zh: `FORWARD_URL 的系统${zh}：${lost.zh}。`,
        fix: {
          en: 'Start that system, check host, port and certificate, and allow connections from this server.',
          zh: '请启动该系统，检查主机、端口与证书，并允许本服务器连接。',
        },
      }),
    ]
  }
  const { status, body } = result
  if (status === 200 && body.toString() === echo.echostr) {
    return [
      ok('forward.ok', {
        en: "The system at FORWARD_URL passed WeChat's check.",
        zh: 'FORWARD_URL 的系统通过了微信的校验。',
      }),
    ]
  }
  const report = status >= 500 || status === 404 || (status >= 300 && status < 400) ? wrong : warn
  return [
    report('forward.answer', {
      en: `The system at FORWARD_URL did not answer WeChat's check with the echostr (HTTP ${status}).`,
      zh: `FORWARD_URL 的系统没有以 echostr 应答微信的校验（HTTP ${status}）。`,
      fix: {
        en: "Set FORWARD_URL to the callback URL that was saved in WeChat's console before, without a redirect, and use the same Token there as in WECHAT_TOKEN.",
        zh: '请将 FORWARD_URL 设为此前在微信侧填写的回调地址（不经重定向），并确认该系统的 Token 与 WECHAT_TOKEN 相同。',
      },
    }),
  ]
}
