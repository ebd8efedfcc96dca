/** Whether this machine's clock agrees with WeChat's. */
import { type Finding, ok, warn, wrong } from './finding.ts'

// A clock that is synchronised is within a second; a `Date` header adds one, a slow answer a few more.
const WARN_MS = 60_000

// 300 s: the window of the callback's timestamps and of the encrypted API's `Date`.
const WRONG_MS = 300_000

/** `skewMs`: how far our clock is ahead; undefined when WeChat has not told its time. */
export function checkClock(skewMs: number | undefined): Finding {
  if (skewMs === undefined) return unknown
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  if (Math.abs(skewMs) <= WARN_MS) {
    return ok('clock.ok', {
      en: `This machine's clock is within ${WARN_MS / 1000} s of WeChat's.`,
      zh: `本机时钟与微信相差不到 ${WARN_MS / 1000} 秒。`,
    })
  }
  const side = skewMs > 0 ? { en: 'ahead of', zh: '快' } : { en: 'behind', zh: '慢' }
  const trouble = {
    en: `This machine's clock is ${seconds} s ${side.en} WeChat's.`,
    zh: `本机时钟比微信${side.zh} ${seconds} 秒。`,
    fix: {
      en: `Synchronise it (NTP, chrony): beyond ${WRONG_MS / 1000} s every callback of WeChat is refused.`,
      zh: `请同步时钟（NTP、chrony）：相差超过 ${WRONG_MS / 1000} 秒时，微信的回调会全部被拒绝。`,
    },
  }
  return Math.abs(skewMs) > WRONG_MS ? wrong('clock.wrong', trouble) : warn('clock.skewed', trouble)
}

const unknown = warn('clock.unknown', {
  en: "This machine's clock could not be compared: no answer of WeChat's told the time.",
  zh: '无法核对本机时钟：微信的回答中没有时间。',
  fix: {
    en: 'Run this again once WeChat answers; until then see that the clock is synchronised (NTP, chrony).',
    zh: '请在微信接口恢复后重新运行；在此之前请确认时钟已同步（NTP、chrony）。',
  },
})
