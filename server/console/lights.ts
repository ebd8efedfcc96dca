/** Decides the light of each part of the overview. If a light is not green, says what to do. Pure. */
import { toReceiverOff } from '../doctor/receivers-off.ts'
import type { FunnelCounts } from '../store/console-store.ts'
import type { ReceiverState } from '../store/outbox.ts'
import { refusalOf } from '../wechat/errcode.ts'
import type { Advice, Light, Now } from './wire.ts'

const OK: Light = { light: 'ok' }
const UNKNOWN: Light = { light: 'unknown' }
const warn = (advice: Advice): Light => ({ light: 'warn', advice })
const bad = (advice: Advice): Light => ({ light: 'bad', advice })

export function waitingLight({ pages, limit }: Pick<Now['waiting'], 'pages' | 'limit'>): Light {
  if (pages < limit * 0.8) return OK
  const fix = { en: 'Add an instance, or raise MAX_WAITERS.', zh: '请增加实例，或调高 MAX_WAITERS。' }
  if (pages < limit) {
    return warn({
      en: 'The waiting pages have reached 80 % of the limit.',
      zh: '等待中的页面已达上限的 80%。',
      fix,
    })
  }
  return bad({
    en: 'The waiting pages have reached the limit: further pages get an error and try again.',
    zh: '等待中的页面已达上限：其余页面会收到错误并重试。',
    fix,
  })
}

// With fewer QR codes, an hour without a scan may be chance.
const SHOWN_ENOUGH = 5

/** `recent`: the counts of this hour and the previous hour. */
export function callbackLight(recent: FunnelCounts, callbackAt: number | null, since: number): Light {
  const isSilent = callbackAt === null || callbackAt < since
  if (isSilent && recent.shown >= SHOWN_ENOUGH) {
    return bad({
      en: 'QR codes are shown, but no callback of WeChat has arrived for an hour.',
      zh: '有二维码展示，但已有一小时没有收到微信的回调。',
      fix: {
        en: 'Run the doctor: it checks the server URL (PUBLIC_URL) and the settings in the console of WeChat.',
        zh: '请运行 doctor：它会检查服务器地址（PUBLIC_URL）与微信后台的配置。',
      },
    })
  }
  return callbackAt === null ? UNKNOWN : OK
}

type Refusals = { errcode: number; lastAt: number }[]

/** A token is fetched when it is needed, so an expired token of an idle server is no fault. */
export function accessTokenLight(token: { expiresAt: number | null }, errors: Refusals, now: number): Light {
  if (token.expiresAt !== null && token.expiresAt > now) return OK
  const [latest] = errors
  return latest ? bad(errorAdvice(latest.errcode)) : UNKNOWN
}

const unreachable: Advice = {
  en: 'WeChat did not answer, or its answer could not be read.',
  zh: '微信没有应答，或其应答无法读取。',
  fix: {
    en: 'Run the doctor: it checks DNS, the network and the proxy on the way to WeChat.',
    zh: '请运行 doctor：它会检查 DNS、网络以及到微信的代理。',
  },
}

/** Explains an errcode with the same text as the doctor. */
export function errorAdvice(errcode: number): Advice {
  if (errcode === 0) return unreachable
  const { en, zh, fix } = refusalOf(errcode, { isTokenRequest: isTokenCode(errcode) })
  return { en: `${en} (errcode ${errcode}).`, zh: `${zh}（errcode ${errcode}）。`, fix }
}

// 40001 in answer to a token request is a wrong AppSecret. In answer to other calls, 40001 means that the token was replaced, and
// the server has already fetched a new token.
const isTokenCode = (errcode: number) => errcode === 40001 || errcode === 40125

/** `errors`: the most recent first. */
export function errorsLight(errors: Refusals): Light {
  const [latest] = errors
  if (!latest) return OK
  const isTransient = ({ errcode }: { errcode: number }) =>
    errcode === 0 || refusalOf(errcode, { isTokenRequest: isTokenCode(errcode) }).isTransient === true
  const lasting = errors.find((each) => !isTransient(each))
  return lasting ? bad(errorAdvice(lasting.errcode)) : warn(errorAdvice(latest.errcode))
}

const LAG_WARN_S = 60
const LAG_BAD_S = 900

type Queues = Pick<Now['webhooks'], 'seconds' | 'failed'>

export function webhooksLight({ seconds, failed }: Queues, off: Pick<ReceiverState, 'name' | 'status'>[]): Light {
  if (seconds === null) return UNKNOWN
  const [first] = off
  if (first && first.status !== 'on') {
    const { en, zh, fix } = toReceiverOff({ name: first.name, status: first.status })
    return bad(fix ? { en, zh, fix } : { en, zh })
  }
  const fix = {
    en: 'The page "Webhooks" shows which receiver fails, and why.',
    zh: '“Webhook”页面显示哪个接收方失败及其原因。',
  }
  if (seconds >= LAG_BAD_S)
    return bad({ en: 'Events have been waiting for more than 15 minutes.', zh: '有事件已等待超过 15 分钟。', fix })
  if (seconds >= LAG_WARN_S)
    return warn({ en: 'Events have been waiting for more than a minute.', zh: '有事件已等待超过一分钟。', fix })
  if (failed > 0)
    return warn({
      en: 'Some events were given up after three days of attempts.',
      zh: '有事件在尝试三天后被放弃。',
      fix,
    })
  return OK
}
