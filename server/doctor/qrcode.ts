/** Whether the account may make a parametric QR, by making a real one, and how many it may still make today. */
import { randomBytes } from 'node:crypto'
import { type ApiAnswer, postJson } from '../wechat/http.ts'
import { unreachable } from './access-token.ts'
import { ask, type CallResult, type Reach } from './exchange.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { toRefusal } from './refusal.ts'

const PATH = '/cgi-bin/qrcode/create'

// As short as a ticket may be: nobody is to scan it.
const LIFE_SECONDS = 60

// Below a tenth, a busy afternoon may use up what is left.
const LOW = 0.1

export type Access = { apiBase: string; accessToken: string }

const call = (reach: Reach, { apiBase, accessToken }: Access, path: string, body: unknown): Promise<CallResult> =>
  ask(reach, `${apiBase}${path}?access_token=${encodeURIComponent(accessToken)}`, postJson(body))

/** Its scene begins as ours do, so that a scan of it comes to nothing in our callback and in nobody else's. */
export async function checkQrcode(access: Access, reach: Reach) {
  const asked = await call(reach, access, PATH, {
    expire_seconds: LIFE_SECONDS,
    action_name: 'QR_STR_SCENE',
    action_info: { scene: { scene_str: `wb1_doctor_${randomBytes(12).toString('base64url')}` } },
  })
  return { finding: judgeQrcode(asked), skewMs: asked.kind === 'answer' ? asked.skewMs : undefined }
}

function judgeQrcode(asked: CallResult): Finding {
  if (asked.kind === 'silent') return unreachable(asked.what, 'qr.unreachable')
  const refusal = toRefusal('qr', asked.answer)
  if (refusal) return refusal
  const { ticket, url } = asked.answer
  return typeof ticket === 'string' && typeof url === 'string'
    ? ok('qr.ok', { en: 'The account may make parametric QR codes.', zh: '该账号可以生成带参数二维码。' })
    : unreachable(
        { en: 'answered a QR code without ticket or url', zh: '返回的二维码缺少 ticket 或 url' },
        'qr.unreachable',
      )
}

export async function checkQuota(access: Access, reach: Reach): Promise<Finding> {
  const asked = await call(reach, access, '/cgi-bin/openapi/quota/get', { cgi_path: PATH })
  const { limit, remain } = asked.kind === 'answer' ? quotaOf(asked.answer) : noQuota
  if (limit === undefined || remain === undefined) return unknownQuota
  const counted = { en: `${remain} of ${limit} QR codes`, zh: `${limit} 个二维码中的 ${remain} 个` }
  if (remain > limit * LOW)
    return ok('quota.ok', { en: `${counted.en} are left for today.`, zh: `今日还可生成 ${counted.zh}。` })
  const trouble = { en: `Only ${counted.en} are left for today.`, zh: `今日仅剩 ${counted.zh}。`, fix: spareQrcodes }
  return remain > 0 ? warn('quota.low', trouble) : wrong('quota.used-up', trouble)
}

const noQuota = { limit: undefined, remain: undefined }

/** The numbers as WeChat gives them; neither, when the answer is a refusal or has no limit to compare with. */
function quotaOf({ quota }: ApiAnswer): { limit: number | undefined; remain: number | undefined } {
  const { daily_limit: limit, remain } = (quota ?? {}) as Record<string, unknown>
  return typeof limit === 'number' && limit > 0 && typeof remain === 'number' ? { limit, remain } : noQuota
}

const spareQrcodes = {
  en: 'It is full again at midnight in Beijing. Lower QR_PER_MINUTE or lengthen TICKET_TTL, and find out whether another system of the account makes QR codes.',
  zh: '北京时间零点恢复。请调低 QR_PER_MINUTE 或调长 TICKET_TTL，并查明该账号是否有其他系统在生成二维码。',
}

const unknownQuota = warn('quota.unknown', {
  en: 'WeChat does not say how many QR codes are left for today.',
  zh: '微信没有给出今日剩余的二维码额度。',
  fix: {
    en: 'Nothing to do unless it stays so: the console shows the quota too (接口权限).',
    zh: '偶尔出现可忽略；也可在公众平台“接口权限”中查看额度。',
  },
})
