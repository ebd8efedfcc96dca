/** Applies the conditions to the simulated WeChat. */
import { type Conditions, callErrcodes, tokenErrcodes } from './conditions.ts'
import { SLOW_MS } from './flaky-store.ts'
import { EVERY_PATH, type Faults } from './simulator/faults.ts'

/**
 * Whether WeChat refuses to issue access tokens. The caller must then revoke the current token. Otherwise the error
 * would appear only after that token has expired.
 */
export const failsTokens = (errcode: string) => isOneOf(tokenErrcodes, errcode)

const isOneOf = (codes: readonly string[], errcode: string) => codes.includes(errcode)

export function applyToWechat(faults: Faults, { wechat, errcode, callbacks }: Conditions): void {
  faults.clear()
  faults.setDown(wechat === 'down')
  faults.slow(EVERY_PATH, wechat === 'slow' ? SLOW_MS : 0)
  faults.setCallback(callbacks)
  const failAlways = (path: string) => faults.fail(path, Number(errcode), Infinity)
  if (isOneOf(callErrcodes, errcode))
    for (const path of ['/cgi-bin/qrcode/create', '/cgi-bin/user/info', '/cgi-bin/user/info/batchget']) failAlways(path)
  if (!failsTokens(errcode)) return
  for (const path of ['/cgi-bin/stable_token', '/cgi-bin/token']) failAlways(path)
}
