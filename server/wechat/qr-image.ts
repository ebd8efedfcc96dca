/** The URL at which WeChat serves the pictures of QR codes. */

/** The URL up to the ticket. WeChat serves QR pictures and its API from different hosts. The simulator serves both from one host. */
export function toQrImageUrl(apiBase: string): string {
  const base = new URL(apiBase).hostname.endsWith('.weixin.qq.com') ? 'https://mp.weixin.qq.com' : apiBase
  return `${base}/cgi-bin/showqrcode?ticket=`
}
