/** Makes one parametric QR code to check that the account can make them. Also checks how many QR codes are left for today. */
import { randomBytes } from 'node:crypto'
import { SCENE_PREFIX } from '../binding/ticket.ts'
import { parseQrcode, QRCODE_PATH, toQrcodeRequest } from '../wechat/api.ts'
import { CONSOLE } from '../wechat/console.ts'
import { type ApiAnswer, addAccessToken, postJson } from '../wechat/http.ts'
import { apiUnreachable } from './access-token.ts'
import { findErrcode } from './errcode-finding.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { type JsonResult, type ProbeDeps, requestJson } from './http-probe.ts'

// The shortest TICKET_TTL is enough, because nobody scans this code.
const TTL_SECONDS = 60

// A busy afternoon can use up the last tenth of the quota.
const LOW = 0.1

export type Access = { apiBase: string; accessToken: string }

const post = (deps: ProbeDeps, { apiBase, accessToken }: Access, path: string, body: unknown): Promise<JsonResult> =>
  requestJson(deps, addAccessToken(apiBase + path, accessToken), postJson(body))

/** The scene has no ticket, so a scan has no effect on this server. Other systems ignore the prefix of wechat-bind. */
export async function checkQrcode(access: Access, deps: ProbeDeps) {
  const scene = `${SCENE_PREFIX}doctor_${randomBytes(12).toString('base64url')}`
  const result = await post(deps, access, QRCODE_PATH, toQrcodeRequest(scene, TTL_SECONDS))
  return { finding: findingOfQrcode(result), skewMs: result.kind === 'answered' ? result.skewMs : undefined }
}

function findingOfQrcode(result: JsonResult): Finding {
  if (result.kind === 'failed') return apiUnreachable('qr.unreachable', result.fault)
  const refused = findErrcode('qr', result.answer)
  if (refused) return refused
  return parseQrcode(result.answer, TTL_SECONDS)
    ? ok('qr.ok', { en: 'The account can make parametric QR codes.', zh: '该账号可以生成带参数二维码。' })
    : apiUnreachable('qr.unreachable', {
        en: 'returned a QR code without a valid ticket, url or expire_seconds',
        zh: '返回的二维码缺少有效的 ticket、url 或 expire_seconds',
      })
}

export async function checkQuota(access: Access, deps: ProbeDeps): Promise<Finding> {
  const result = await post(deps, access, '/cgi-bin/openapi/quota/get', { cgi_path: QRCODE_PATH })
  const { limit, remain } = result.kind === 'answered' ? quotaIn(result.answer) : noQuota
  if (limit === undefined || remain === undefined) return unknownQuota
  const count = { en: `${remain} of ${limit} QR codes`, zh: `${remain} 个二维码（共 ${limit} 个）` }
  if (remain > limit * LOW)
    return ok('quota.ok', { en: `${count.en} are left for today.`, zh: `今日还可生成 ${count.zh}。` })
  const fault = { en: `Only ${count.en} are left for today.`, zh: `今日仅可再生成 ${count.zh}。`, fix: saveQuota }
  return remain > 0 ? warn('quota.low', fault) : wrong('quota.used-up', fault)
}

const noQuota = { limit: undefined, remain: undefined }

/** Returns no numbers if the answer is a refusal or has no limit. */
function quotaIn({ quota }: ApiAnswer): { limit: number | undefined; remain: number | undefined } {
  const { daily_limit: limit, remain } = (quota ?? {}) as Record<string, unknown>
  return typeof limit === 'number' && limit > 0 && typeof remain === 'number' ? { limit, remain } : noQuota
}

const saveQuota = {
  en: 'The quota is reset at midnight in Beijing. Decrease QR_PER_DAY or QR_PER_DAY_TENANT, or increase TICKET_TTL, and find out whether another system of the account makes QR codes.',
  zh: '额度于北京时间零点重置。请调低 QR_PER_DAY 或 QR_PER_DAY_TENANT，或调高 TICKET_TTL，并查明该账号是否有其他系统在生成二维码。',
}

const unknownQuota = warn('quota.unknown', {
  en: 'WeChat did not report how many QR codes are left for today.',
  zh: '微信没有返回今日剩余的二维码额度。',
  fix: {
    en: `You can ignore this warning if it does not persist. ${CONSOLE.rights.en} shows the quota too.`,
    zh: `偶尔出现可忽略；额度也可在${CONSOLE.rights.zh}查看。`,
  },
})
