/**
 * The answer of `callback/check`. The simulator sends no DNS query and no ping. It always reports the same address and
 * no packet loss.
 */
import { isIP } from 'node:net'
import { WechatRefusal } from './errcodes.ts'

const actions = ['dns', 'ping', 'all']
const operators = ['CHINANET', 'UNICOM', 'CAP', 'DEFAULT']

// An IP address that is reserved for documentation (RFC 5737).
const ADDRESS = '203.0.113.80'

/** Throws 40202 or 40203 for an invalid parameter, and 40201 without a callback URL. */
export function checkNetwork(callbackUrl: string | undefined, { action, check_operator }: Record<string, unknown>) {
  if (!actions.includes(String(action))) throw new WechatRefusal(40202)
  if (!operators.includes(String(check_operator))) throw new WechatRefusal(40203)
  if (callbackUrl === undefined) throw new WechatRefusal(40201)
  const ip = addressOf(new URL(callbackUrl).hostname)
  const operator = check_operator === 'DEFAULT' ? 'CAP' : check_operator
  return {
    ...(action !== 'ping' && { dns: [{ ip, real_operator: 'CAP' }] }),
    ...(action !== 'dns' && { ping: [{ ip, from_operator: operator, package_loss: '0%', time: '23.079ms' }] }),
  }
}

function addressOf(host: string): string {
  if (host === 'localhost') return '127.0.0.1'
  const address = host.replace(/^\[|\]$/g, '')
  return isIP(address) ? address : ADDRESS
}
