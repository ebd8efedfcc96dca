/** Detects how the user can scan the QR code: from a screen, by a long press inside WeChat, or from a saved picture. */

export type Device = 'desktop' | 'wechat' | 'mobile'

/**
 * Reads the user agent, as WeChat's documentation recommends. The user agent of WeCom's browser also contains
 * `MicroMessenger`, but only WeChat can scan for a binding, and WeCom cannot. An iPad sends the user agent of a Mac,
 * but a Mac has no touch screen. A HarmonyOS tablet sends `(Tablet; OpenHarmony 5.0)`.
 */
export function deviceOf({ userAgent, maxTouchPoints }: Pick<Navigator, 'userAgent' | 'maxTouchPoints'>): Device {
  if (/MicroMessenger/i.test(userAgent) && !/wxwork/i.test(userAgent)) {
    return /Windows|Macintosh/.test(userAgent) ? 'desktop' : 'wechat'
  }
  const isTablet = /Macintosh/.test(userAgent) && maxTouchPoints > 1
  return isTablet || /Android|iPhone|iPad|iPod|HarmonyOS|Tablet|Mobile/i.test(userAgent) ? 'mobile' : 'desktop'
}
