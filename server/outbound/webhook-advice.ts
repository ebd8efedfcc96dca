/** The fix for a receiver that does not accept a webhook, selected by the receiver's answer. Pure. */
import type { Bilingual } from '../errors.ts'
import type { Failure } from '../store/outbox.ts'

const byStatus: Record<number, Bilingual> = {
  401: {
    en: 'the receiver refuses the signature: both sides need the same secret, and the receiver must verify the body as received',
    zh: '接收方拒绝签名：双方的密钥须一致，且接收方须校验原始请求体',
  },
  404: { en: 'the receiver has no such path: check the path of its URL', zh: '接收方没有该路径：请检查地址中的路径' },
  405: { en: 'the receiver does not accept POST at this URL: check the path', zh: '该地址不接受 POST：请检查路径' },
  410: {
    en: 'the receiver answered 410, so it gets no more events. To send events again, run "wechat-bind webhooks enable NAME"',
    zh: '接收方应答 410，因此不再向其发送事件。需要恢复时运行“wechat-bind webhooks enable 名称”',
  },
  429: {
    en: 'the receiver limits the rate of requests: the server sends one event at a time until the receiver accepts one',
    zh: '接收方限流：在其接受之前，每次只投递一个事件',
  },
}

const byError: Record<string, Bilingual> = {
  TIMEOUT: {
    en: 'no answer in 20 s: the receiver should answer first and do the work later',
    zh: '20 秒内未应答：接收方应先应答，再处理',
  },
  ECONNREFUSED: {
    en: 'no program listens at this address: start the receiver, or correct host and port of its URL',
    zh: '该地址没有程序在监听：请启动接收方，或更正地址中的主机与端口',
  },
  ENOTFOUND: { en: 'the host name does not exist: correct it in the URL', zh: '主机名不存在：请更正地址' },
}

const notHttp: Bilingual = {
  en: 'the answer is not valid HTTP: check that host, port and path of the URL lead to the receiver',
  zh: '应答不是有效的 HTTP：请确认地址中的主机、端口与路径指向接收方',
}

const redirect: Bilingual = {
  en: 'redirects are not followed: use the URL to which the receiver redirects',
  zh: '不跟随重定向：请改用重定向后的地址',
}

const overloaded: Bilingual = {
  en: 'the receiver, or the proxy in front of it, is overloaded or down: check both',
  zh: '接收方或其前面的代理过载或已停止：请检查两者',
}

const anyStatus: Bilingual = {
  en: "the receiver must answer 200 to 299: read the receiver's log",
  zh: '接收方须应答 200 至 299：请查看接收方的日志',
}

const anyError: Bilingual = {
  en: 'the receiver could not be reached: check its URL, the network, and the TLS certificate',
  zh: '无法连接接收方：请检查地址、网络与 TLS 证书',
}

/** The advice without a full stop, to stand after a colon. It begins in lower case. */
export function adviceFor({ status, error }: Failure): Bilingual {
  if (status === null) return byError[error ?? ''] ?? (/^HPE_|^BAD_ANSWER$/.test(error ?? '') ? notHttp : anyError)
  if (status >= 300 && status < 400) return redirect
  if (status >= 502 && status <= 504) return overloaded
  if (status === 400 || status === 403) return byStatus[401]!
  return byStatus[status] ?? anyStatus
}

/** The advice as a separate sentence. */
export function adviceSentence(failure: Failure): Bilingual {
  const { en, zh } = adviceFor(failure)
  return { en: `${en[0]?.toUpperCase()}${en.slice(1)}.`, zh: `${zh}。` }
}
