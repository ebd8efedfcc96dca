/** All checks over one environment: side by side where they can be, and over in 15 s whatever hangs. */
import type { Config, Env } from '../config/config.ts'
import type { Words } from '../config/env-reader.ts'
import type { BindKey } from '../keys/keyring.ts'
import { checkAccessToken } from './access-token.ts'
import { checkCallback } from './callback.ts'
import { checkClock } from './clock.ts'
import { readConfiguration } from './configuration.ts'
import { type Reach, within } from './exchange.ts'
import { type Finding, warn, wrong } from './finding.ts'
import { checkAesKeys, checkKeys, checkMode } from './keys.ts'
import { checkQrcode, checkQuota } from './qrcode.ts'
import { checkStore, type LookAtStore } from './store.ts'

export type DoctorDeps = Reach & { lookAtStore: LookAtStore; readKeyFile: (path: string) => BindKey[] }

type Check = {
  id: string
  title: Words
  /** Settings without which it would speak of a stand-in. */
  needs: string[]
  run(config: Config, deps: DoctorDeps): Promise<Finding[]>
}

// Two exchanges of 5 s, one after the other, are the longest that a check takes by itself.
const CHECK_LIMIT_MS = 12_000

/** In the order in which they are told. */
const checks: Check[] = [
  {
    id: 'mode',
    title: { en: "WeChat's encryption", zh: '消息加密' },
    needs: ['WECHAT_MODE', 'WECHAT_ENCODING_AES_KEY'],
    run: async (config) => [checkMode(config), ...checkAesKeys(config)],
  },
  {
    id: 'keys',
    title: { en: "the clients' keys", zh: '接入方密钥' },
    needs: ['BIND_KEYS'],
    run: async (config, { readKeyFile }) => checkKeys(config, readKeyFile),
  },
  {
    id: 'store',
    title: { en: 'the store', zh: '存储' },
    needs: ['DATABASE_URL'],
    run: async ({ databaseUrl }, deps) => [await checkStore(databaseUrl, deps.lookAtStore)],
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
]

/** Never rejects: what is wrong is a finding. */
export async function examine(env: Env, deps: DoctorDeps): Promise<Finding[]> {
  const { config, faulty, findings } = readConfiguration(env)
  if (!config) return findings
  const isPossible = ({ needs }: Check) => !needs.some((name) => faulty.has(name))
  const found = await Promise.all(checks.filter(isPossible).map((check) => runCheck(check, config, deps)))
  const left = checks.filter((check) => !isPossible(check))
  return [...findings, ...found.flat(), ...(left.length > 0 ? [skipped(left)] : [])]
}

async function runCheck({ id, title, run }: Check, config: Config, deps: DoctorDeps): Promise<Finding[]> {
  try {
    const found = await within(deps.setTimer, CHECK_LIMIT_MS, () => run(config, deps))
    return found === 'late' ? [broken(`${id}.late`, title, { en: 'did not end in time', zh: '没有按时结束' })] : found
  } catch (error) {
    // A fault of ours must not hide what the other checks found; its message might hold what must not be shown.
    const { name } = error as Error
    return [broken(`${id}.failed`, title, { en: `failed (${name})`, zh: `出错（${name}）` })]
  }
}

/** Without a token nothing more can be asked, and the one finding says why. */
async function checkWechat(config: Config, reach: Reach): Promise<Finding[]> {
  const { finding, accessToken, skewMs } = await checkAccessToken(config, reach)
  if (accessToken === undefined) return [finding, checkClock(skewMs)]
  const access = { apiBase: config.wechat.apiBase, accessToken }
  const [qrcode, quota] = await Promise.all([checkQrcode(access, reach), checkQuota(access, reach)])
  return [finding, qrcode.finding, quota, checkClock(skewMs ?? qrcode.skewMs)]
}

const broken = (id: string, title: Words, what: Words): Finding =>
  wrong(id, {
    en: `The check of ${title.en} ${what.en}.`,
    zh: `对${title.zh}的检查${what.zh}。`,
    fix: {
      en: 'Run this again; if it stays so, report it with the settings but without their values.',
      zh: '请重新运行；如仍如此，请反馈，并附上配置项的名称（不含其值）。',
    },
  })

const skipped = (left: Check[]): Finding =>
  warn('config.skipped', {
    en: `Not checked: ${left.map(({ title }) => title.en).join(', ')}.`,
    zh: `未检查：${left.map(({ title }) => title.zh).join('、')}。`,
    fix: {
      en: 'Put the settings above right, then run this again.',
      zh: '请先改正上述配置项，然后重新运行。',
    },
  })
