/** Detects how the user can scan the QR code: from a screen, by a long press inside WeChat, or from a saved picture. */

export type Device = 'desktop' | 'wechat' | 'mobile'

/** Reads the user agent, as WeChat's documentation recommends. An iPad sends a desktop user agent and counts as a desktop. */
export function deviceOf(userAgent: string): Device {
  if (/MicroMessenger/i.test(userAgent)) return /Windows|Macintosh/.test(userAgent) ? 'desktop' : 'wechat'
  return /Android|iPhone|iPad|iPod|HarmonyOS|Mobile/i.test(userAgent) ? 'mobile' : 'desktop'
}
