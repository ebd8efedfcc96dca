/** Applies the conditions to the simulated WeChat. */
import { type Conditions, callErrcodes, tokenErrcodes } from './conditions.ts'
import { SLOW_MS } from './flaky-store.ts'
import { EVERY_PATH } from './simulator/faults.ts'
import type { Simulator } from './simulator/simulator.ts'

const isOneOf = (codes: readonly string[], errcode: string) => codes.includes(errcode)

export function applyToWechat({ faults, accessTokens, setMode }: Simulator, conditions: Conditions): void {
  const { mode, wechat, errcode, callbacks } = conditions
  setMode(mode)
  faults.clear()
  faults.setDown(wechat === 'down')
  faults.slow(EVERY_PATH, wechat === 'slow' ? SLOW_MS : 0)
  faults.setCallback(callbacks)
  const failAlways = (path: string) => faults.fail(path, Number(errcode), Infinity)
  if (isOneOf(callErrcodes, errcode))
    for (const path of ['/cgi-bin/qrcode/create', '/cgi-bin/user/info', '/cgi-bin/user/info/batchget']) failAlways(path)
  if (!isOneOf(tokenErrcodes, errcode)) return
  for (const path of ['/cgi-bin/stable_token', '/cgi-bin/token']) failAlways(path)
  // The current token is invalidated, because otherwise the error would appear only after the token expires.
  accessTokens.revoke()
}
