/** Whether WeChat would call this address at all: its console takes ports 80 and 443, and its servers stand outside. */
import { type Finding, type Trouble, warn, wrong } from './finding.ts'

/** Nothing, where all is well. */
export function judgeAddress(publicUrl: string, apiBase: string): Finding[] {
  const { port, hostname } = new URL(publicUrl)
  // A WeChat on this very machine is a stand-in: it calls any address.
  const find = isLoopback(new URL(apiBase).hostname) ? warn : wrong
  return [
    // `port` is empty for 80 with http and 443 with https, the two that WeChat calls.
    ...(port === '' ? [] : [find('callback.port', onPort(port))]),
    ...(isLoopback(hostname) || isPrivate(hostname) ? [find('callback.host', inside)] : []),
  ]
}

const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127\./.test(host)

/** RFC 1918, RFC 3927 and RFC 4193. */
const isPrivate = (host: string) =>
  /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\.[\d.]+$/.test(host) || /^\[f[cd]|^\[fe80/.test(host)

const onPort = (port: string): Trouble => ({
  en: `PUBLIC_URL is on port ${port}: WeChat calls http on port 80 and https on port 443, no other.`,
  zh: `PUBLIC_URL 使用端口 ${port}：微信只访问 http 的 80 端口与 https 的 443 端口。`,
  fix: {
    en: 'Put a reverse proxy with a certificate before the server, and its address into PUBLIC_URL.',
    zh: '请在服务前放置带证书的反向代理，并将其地址填入 PUBLIC_URL。',
  },
})

const inside: Trouble = {
  en: 'PUBLIC_URL is an address that only this machine or its own network can reach.',
  zh: 'PUBLIC_URL 是仅本机或内网可达的地址。',
  fix: {
    en: 'Set it to the name by which the internet reaches this server.',
    zh: '请改为互联网可以访问的域名。',
  },
}
