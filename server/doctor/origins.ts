/** Checks with a preflight request through PUBLIC_URL whether pages of ALLOWED_ORIGINS may use the browser API. */
import type { Config } from '../config/config.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { describeFailure, type ProbeDeps, sendRequest } from './http-probe.ts'

/** Returns no findings without an origin, and without PUBLIC_URL, which the check of the callback reports. */
export async function checkOrigins({ allowedOrigins, publicUrl }: Config, deps: ProbeDeps): Promise<Finding[]> {
  if (publicUrl === undefined || allowedOrigins.length === 0) return []
  const findings = await Promise.all(allowedOrigins.map((origin) => checkOrigin(origin, publicUrl, deps)))
  const faults = findings.flat()
  return faults.length > 0 ? faults : [allowed(allowedOrigins.length)]
}

async function checkOrigin(origin: string, publicUrl: string, deps: ProbeDeps): Promise<Finding[]> {
  if (origin.startsWith('https:') && publicUrl.startsWith('http:')) return [insecure(origin)]
  const headers = {
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type',
  }
  const result = await sendRequest(deps, `${publicUrl}/widget/qrcode`, { method: 'OPTIONS', headers })
  if (result.kind !== 'answered') return [unreachable(origin, describeFailure(result))]
  return result.allowsOrigin === origin ? [] : [refused(origin, result.status)]
}

const allowed = (count: number): Finding =>
  ok('origins.ok', {
    en: `The server lets the pages of ${count === 1 ? 'the origin' : `all ${count} origins`} in ALLOWED_ORIGINS use the browser API.`,
    zh: `服务允许 ALLOWED_ORIGINS 中全部 ${count} 个来源的页面使用浏览器 API。`,
  })

const refused = (origin: string, status: number): Finding =>
  wrong('origins.refused', {
    en: `Pages of ${origin} are refused: the preflight request to PUBLIC_URL was answered without this origin (HTTP ${status}).`,
    zh: `${origin} 的页面被拒绝：发往 PUBLIC_URL 的预检请求没有得到该来源的许可（HTTP ${status}）。`,
    fix: {
      en: 'Restart the server with the same ALLOWED_ORIGINS as this command, and let the proxy pass OPTIONS requests on without changing their headers.',
      zh: '请以与本命令相同的 ALLOWED_ORIGINS 重启服务，并让代理原样转发 OPTIONS 请求及其应答头。',
    },
  })

const unreachable = (origin: string, { en, zh }: { en: string; zh: string }): Finding =>
  wrong('origins.unreachable', {
    en: `Whether pages of ${origin} are allowed is unknown: the browser API under PUBLIC_URL ${en}.`,
    zh: `无法确定是否允许 ${origin} 的页面：PUBLIC_URL 下的浏览器 API ${zh}。`,
    fix: {
      en: 'Run "wechat-bind serve", and let the proxy forward /widget/ to it.',
      zh: '请运行 wechat-bind serve，并让代理将 /widget/ 转发给它。',
    },
  })

const insecure = (origin: string): Finding =>
  warn('origins.insecure', {
    en: `Browsers block requests of ${origin} to PUBLIC_URL, because the page has https and PUBLIC_URL has http.`,
    zh: `浏览器会拦截 ${origin} 对 PUBLIC_URL 的请求，因为页面使用 https，而 PUBLIC_URL 使用 http。`,
    fix: {
      en: 'Give the server a certificate, and set PUBLIC_URL to its https address.',
      zh: '请为服务配置证书，并将 PUBLIC_URL 设为 https 地址。',
    },
  })
