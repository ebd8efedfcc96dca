/** The warnings in the log at the start: settings that are valid but probably a mistake. */
import type { Log } from '../platform.ts'
import type { Config } from './config.ts'

/** `otherBindings`: how many bindings belong to another account than WECHAT_APP_ID. */
export function warnAtStart({ oauth, publicUrl, unknownNames }: Config, otherBindings: number, log: Log): void {
  if (otherBindings > 0) {
    log.warn(
      { bindings: otherBindings },
      'bindings belong to another account than WECHAT_APP_ID, and this account cannot send messages to their users: run "wechat-bind doctor"',
    )
  }
  if (oauth.isOn && publicUrl === undefined) {
    log.warn(
      {},
      'WECHAT_OAUTH=on without PUBLIC_URL: WeChat returns browsers to the address to which each page sends its requests. Set PUBLIC_URL to the address of this server, whose domain is the 网页授权域名 of the account',
    )
  }
  for (const name of unknownNames ?? []) {
    log.warn(
      { name },
      'an environment variable is not a setting and has no effect: correct its name if it is meant for this server',
    )
  }
}
