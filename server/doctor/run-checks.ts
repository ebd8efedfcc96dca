/** Runs all checks on one environment in parallel. Takes at most 15 s, even if no connection is answered. */
import type { Config, Env } from '../config/config.ts'
import type { Bilingual } from '../errors.ts'
import type { ReadKeyFile } from '../keys/key-file.ts'
import { checkAccessToken } from './access-token.ts'
import { type CountBindings, checkBoundAccounts } from './bound-accounts.ts'
import { checkCallback } from './callback.ts'
import { checkClock } from './clock.ts'
import { checkFiles, type FileAccess } from './files.ts'
import { type Finding, warn, wrong } from './finding.ts'
import { checkForward } from './forward.ts'
import { type ProbeDeps, withTimeout } from './http-probe.ts'
import { checkAesKeys, checkKeys, checkMode } from './keys.ts'
import { checkApiAddresses, checkCallbackAddresses, checkReach } from './network.ts'
import { checkOauth } from './oauth.ts'
import { checkOrigins } from './origins.ts'
import { checkQrcode, checkQuota } from './qrcode.ts'
import { checkReceiversOff, type FindReceiversOff } from './receivers-off.ts'
import { readSettings } from './settings.ts'
import { checkStore, type InspectStore } from './store.ts'
import { checkWebhooks } from './webhooks.ts'

export type DoctorDeps = ProbeDeps & {
  inspectStore: InspectStore
  /** Without `countBindings` the bindings are not counted. */
  countBindings?: CountBindings
  /** Without `findReceiversOff` the receivers are not checked. */
  findReceiversOff?: FindReceiversOff
  readKeyFile: ReadKeyFile
  /** Whether the webhook receivers get a signed `webhook.test`. */
  sendsWebhooks?: boolean
  /** Without `fileAccess` no file is checked. */
  fileAccess?: FileAccess
}

type Check = {
  id: string
  title: Bilingual
  /** The settings that the check uses. If a setting is faulty, `config` has a placeholder for it, and the check is skipped. */
  needs: string[]
  /** Whether the check applies to this configuration. A check that does not apply is not listed as skipped. */
  applies?(config: Config): boolean
  run(config: Config, deps: DoctorDeps): Promise<Finding[]>
}

// The longest check makes two requests of at most 5 s, one after the other.
const CHECK_LIMIT_MS = 12_000

/** All checks, in the order of the report. */
const checks: Check[] = [
  {
    id: 'mode',
    title: { en: 'the message encryption', zh: '消息加密' },
    needs: ['WECHAT_MODE', 'WECHAT_ENCODING_AES_KEY'],
    run: async (config) => [checkMode(config), ...checkAesKeys(config)],
  },
  {
    id: 'keys',
    title: { en: 'the keys of the back ends', zh: '业务后端的密钥' },
    needs: ['BIND_KEYS'],
    run: async (config, { readKeyFile }) => checkKeys(config, readKeyFile),
  },
  {
    id: 'files',
    title: { en: 'the permissions of files', zh: '文件权限' },
    needs: ['DATABASE_URL'],
    run: async (config, { fileAccess }) => (fileAccess ? checkFiles(config, fileAccess) : []),
  },
  {
    id: 'store',
    title: { en: 'the store', zh: '存储' },
    needs: ['DATABASE_URL'],
    run: async ({ databaseUrl }, deps) => [await checkStore(databaseUrl, deps.inspectStore)],
  },
  {
    id: 'account',
    title: { en: 'the accounts of the bindings', zh: '绑定所属的公众号' },
    needs: ['DATABASE_URL', 'WECHAT_APP_ID'],
    run: async (config, { countBindings }) => (countBindings ? checkBoundAccounts(config, countBindings) : []),
  },
  {
    id: 'receivers',
    title: { en: 'receivers that are off', zh: '已停用的接收方' },
    needs: ['DATABASE_URL'],
    run: async (config, { findReceiversOff }) => (findReceiversOff ? checkReceiversOff(config, findReceiversOff) : []),
  },
  {
    id: 'wechat',
    title: { en: "WeChat's API and the clock", zh: '微信接口与时钟' },
    needs: ['WECHAT_APP_ID', 'WECHAT_APP_SECRET', 'WECHAT_API_BASE', 'ACCESS_TOKEN_URL'],
    run: checkWechat,
  },
  {
    id: 'callback',
    title: { en: 'the callback', zh: '回调地址' },
    needs: ['PUBLIC_URL', 'WECHAT_TOKEN'],
    run: checkCallback,
  },
  {
    id: 'origins',
    title: { en: 'the allowed origins', zh: '允许的来源' },
    needs: ['PUBLIC_URL', 'ALLOWED_ORIGINS'],
    applies: ({ allowedOrigins }) => allowedOrigins.length > 0,
    run: checkOrigins,
  },
  {
    id: 'oauth',
    title: { en: 'the web authorization', zh: '网页授权' },
    needs: [
      'PUBLIC_URL',
      'WECHAT_APP_ID',
      'WECHAT_APP_SECRET',
      'WECHAT_API_BASE',
      'WECHAT_OAUTH',
      'WECHAT_VERIFY_FILE',
    ],
    applies: ({ oauth }) => oauth.isOn,
    run: checkOauth,
  },
  {
    id: 'forward',
    title: { en: 'the system at FORWARD_URL', zh: 'FORWARD_URL 的系统' },
    needs: ['FORWARD_URL', 'FORWARD_ERRORS', 'WECHAT_TOKEN'],
    applies: ({ forwardUrl }) => forwardUrl !== undefined,
    run: checkForward,
  },
  {
    id: 'webhooks',
    title: { en: 'the webhook receivers', zh: 'webhook 接收方' },
    needs: ['WEBHOOKS_FILE'],
    applies: ({ webhooks }) => webhooks.all.length > 0,
    run: (config, deps) => checkWebhooks(config, deps, deps.sendsWebhooks ?? false),
  },
]

/** Never rejects, because every error becomes a finding. */
export async function runChecks(env: Env, deps: DoctorDeps): Promise<Finding[]> {
  const { config, faulty, findings } = readSettings(env, deps.readKeyFile)
  if (!config) return findings
  return [...findings, ...(await checkConfig(config, deps, faulty))]
}

/** The checks of a configuration. Checks that need a faulty setting are skipped. Never rejects. */
export async function checkConfig(
  config: Config,
  deps: DoctorDeps,
  faulty: ReadonlySet<string> = new Set(),
): Promise<Finding[]> {
  const isPossible = ({ needs }: Check) => !needs.some((name) => faulty.has(name))
  const applicable = checks.filter(({ applies }) => applies?.(config) ?? true)
  const results = await Promise.all(applicable.filter(isPossible).map((check) => runCheck(check, config, deps)))
  const skipped = applicable.filter((check) => !isPossible(check))
  return [...results.flat(), ...(skipped.length > 0 ? [notChecked(skipped)] : [])]
}

async function runCheck({ id, title, run }: Check, config: Config, deps: DoctorDeps): Promise<Finding[]> {
  try {
    const found = await withTimeout(deps.setTimer, CHECK_LIMIT_MS, () => run(config, deps))
    const seconds = CHECK_LIMIT_MS / 1000
    return found === 'timeout'
      ? [
          checkFailed(`${id}.late`, title, {
            en: `did not finish within ${seconds} s`,
            zh: `在 ${seconds} 秒内没有完成`,
          }),
        ]
      : found
  } catch (error) {
    // An unexpected error must not hide the other findings. Its message is left out, because it may contain a secret.
    const { name } = error as Error
    return [checkFailed(`${id}.failed`, title, { en: `failed (${name})`, zh: `出错（${name}）` })]
  }
}

/** Without an access token WeChat refuses all other calls. The finding about the token states the cause. */
async function checkWechat(config: Config, deps: DoctorDeps): Promise<Finding[]> {
  const { finding, accessToken, skewMs } = await checkAccessToken(config, deps)
  if (accessToken === undefined) return [finding, checkClock(skewMs)]
  const access = { apiBase: config.wechat.apiBase, accessToken }
  const [qrcode, ...others] = await Promise.all([
    checkQrcode(access, deps),
    checkQuota(access, deps),
    checkReach(access, deps),
    checkCallbackAddresses(access, deps),
    checkApiAddresses(access, deps),
  ])
  return [finding, qrcode.finding, ...others, checkClock(skewMs ?? qrcode.skewMs)]
}

const checkFailed = (id: string, title: Bilingual, fault: Bilingual): Finding =>
  wrong(id, {
    en: `The check of ${title.en} ${fault.en}.`,
    zh: `对${title.zh}的检查${fault.zh}。`,
    fix: {
      en: 'Run doctor again. If the check fails again, report this with the names of your settings, without their values.',
      zh: '请重新运行 doctor。如问题仍在，请反馈，并附上配置项的名称（不含其值）。',
    },
  })

const notChecked = (skipped: Check[]): Finding =>
  warn('config.skipped', {
    en: `Not checked: ${skipped.map(({ title }) => title.en).join(', ')}.`,
    zh: `未检查：${skipped.map(({ title }) => title.zh).join('、')}。`,
    fix: {
      en: 'Correct the settings listed above, then run doctor again.',
      zh: '请改正上述配置项，然后重新运行 doctor。',
    },
  })
