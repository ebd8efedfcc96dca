/** How the user can reach the QR: scan it from a screen, long-press it inside WeChat, or save its picture first. */

export type Device = 'desktop' | 'wechat' | 'mobile'

/** Read from the user agent, as WeChat itself recommends; an iPad asks for desktop pages and is held like a screen. */
export function deviceOf(userAgent: string): Device {
  if (/MicroMessenger/i.test(userAgent)) return /Windows|Macintosh/.test(userAgent) ? 'desktop' : 'wechat'
  return /Android|iPhone|iPad|iPod|HarmonyOS|Mobile/i.test(userAgent) ? 'mobile' : 'desktop'
}
