/** Checks that WeChat can call PUBLIC_URL. WeChat calls only ports 80 and 443, and only from the internet. */
import { type Fault, type Finding, warn, wrong } from './finding.ts'

/** Returns no findings if PUBLIC_URL has no fault. */
export function checkPublicUrl(publicUrl: string, apiBase: string): Finding[] {
  const { port, hostname } = new URL(publicUrl)
  // If the API base is on this machine, it is a simulator, which can call any address.
  const report = isLoopback(new URL(apiBase).hostname) ? warn : wrong
  return [
    // `port` is empty for port 80 of http and for port 443 of https. WeChat calls only these.
    ...(port === '' ? [] : [report('callback.port', wrongPort(port))]),
    ...(isLoopback(hostname) || isPrivate(hostname) ? [report('callback.host', notPublic)] : []),
  ]
}

const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127\./.test(host)

/** RFC 1918, RFC 3927 and RFC 4193; `fe80::` is link-local (RFC 4291). */
const isPrivate = (host: string) =>
  /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|169\.254)\.[\d.]+$/.test(host) || /^\[f[cd]|^\[fe80/.test(host)

const wrongPort = (port: string): Fault => ({
  en: `PUBLIC_URL has port ${port}. WeChat calls only port 80 with http and port 443 with https.`,
  zh: `PUBLIC_URL 使用 ${port} 端口。微信只访问 http 的 80 端口与 https 的 443 端口。`,
  fix: {
    en: "Put a reverse proxy with a certificate in front of the server, and set PUBLIC_URL to the proxy's address.",
    zh: '请在服务前放置带证书的反向代理，并将 PUBLIC_URL 设为其地址。',
  },
})

const notPublic: Fault = {
  en: 'PUBLIC_URL can be reached only from this machine or its local network.',
  zh: 'PUBLIC_URL 只能从本机或内网访问。',
  fix: {
    en: 'Set PUBLIC_URL to a host name that can be reached from the internet.',
    zh: '请将 PUBLIC_URL 设为可从互联网访问的域名。',
  },
}
