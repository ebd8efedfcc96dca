/** Turns an answer of WeChat with an `errcode` into a finding. The texts are in `wechat/errcode.ts`. */
import { refusalOf } from '../wechat/errcode.ts'
import type { ApiAnswer } from '../wechat/http.ts'
import { type Finding, warn, wrong } from './finding.ts'
import { isIpv4, isIpv6 } from './ip-address.ts'

/** The call that was made. It is the first half of the finding's id. */
type Call = 'token' | 'token-service' | 'qr' | 'oauth'

/** Returns undefined for an answer without an error. A transient refusal is only a warning. */
export function findErrcode(call: Call, answer: ApiAnswer): Finding | undefined {
  const { errcode = 0, errmsg = '' } = answer
  if (errcode === 0) return undefined
  const isTokenRequest = call !== 'qr'
  const { name, isTransient, en, zh, fix } = refusalOf(errcode, { isTokenRequest, address: addressIn(errmsg) })
  const reference = referenceOf(errcode, errmsg)
  const fault = { en: `${en} (${reference.join(', ')}).`, zh: `${zh}（${reference.join('，')}）。`, fix }
  return (isTransient ? warn : wrong)(`${call}.${name}`, fault)
}

/** Returns this server's address from texts such as `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`, IPv4 first. */
function addressIn(errmsg: string): string | undefined {
  const words = errmsg.split(/[\s,]+/)
  return words.find(isIpv4) ?? words.find(isIpv6)
}

/** Returns the errcode and the `rid`, which the diagnosis tool of WeChat's console needs. Other parts of `errmsg` may be secret. */
function referenceOf(errcode: number, errmsg: string): string[] {
  const rid = /\brid: ([\w-]{1,64})/.exec(errmsg)?.[1]
  return rid ? [`errcode ${errcode}`, `rid ${rid}`] : [`errcode ${errcode}`]
}
