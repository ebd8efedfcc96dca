/** Compares this machine's clock with WeChat's. */
import { type Finding, ok, warn, wrong } from './finding.ts'

// A synchronised clock is off by less than 1 s. The `Date` header adds up to 1 s, and a slow answer adds a few seconds.
const WARN_MS = 60_000

// 300 s is the window for the timestamps of callbacks and for `Date` of the encrypted API.
const WRONG_MS = 300_000

/** `skewMs` is this machine's clock minus WeChat's. Undefined if no answer of WeChat had a `Date`. */
export function checkClock(skewMs: number | undefined): Finding {
  if (skewMs === undefined) return unknown
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  if (Math.abs(skewMs) <= WARN_MS) {
    return ok('clock.ok', {
      en: `This machine's clock differs from WeChat's by at most ${WARN_MS / 1000} s.`,
      zh: `本机时钟与微信相差不超过 ${WARN_MS / 1000} 秒。`,
    })
  }
  const side = skewMs > 0 ? { en: 'ahead of', zh: '快' } : { en: 'behind', zh: '慢' }
  const fault = {
    en: `This machine's clock is ${seconds} s ${side.en} WeChat's.`,
    zh: `本机时钟比微信${side.zh} ${seconds} 秒。`,
    fix: {
      en: `Synchronise the clock (NTP, chrony): with a difference of more than ${WRONG_MS / 1000} s the server refuses every callback of WeChat.`,
      zh: `请同步时钟（NTP、chrony）：相差超过 ${WRONG_MS / 1000} 秒时，服务会拒绝微信的所有回调。`,
    },
  }
  return Math.abs(skewMs) > WRONG_MS ? wrong('clock.wrong', fault) : warn('clock.skewed', fault)
}

const unknown = warn('clock.unknown', {
  en: "This machine's clock could not be compared with WeChat's, because no answer of WeChat had a Date header.",
  zh: '无法核对本机时钟：微信的响应中没有 Date 头。',
  fix: {
    en: 'Run doctor again when WeChat answers. Until then, check that the clock is synchronised (NTP, chrony).',
    zh: '请在微信接口恢复后重新运行 doctor。在此之前请确认时钟已同步（NTP、chrony）。',
  },
})
