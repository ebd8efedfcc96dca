/** Checks that the bindings belong to the configured account. After a change of WECHAT_APP_ID, no event reaches the old bindings. */
import type { Config } from '../config/config.ts'
import { counted } from '../errors.ts'
import { type Finding, warn } from './finding.ts'

/** The number of bindings whose AppID is not `appId`. Changes nothing in the store. */
export type CountBindings = (databaseUrl: string, appId: string) => Promise<number>

/** Empty if all bindings belong to the account. */
export async function checkBoundAccounts(
  { databaseUrl, wechat: { appId } }: Config,
  countBindings: CountBindings,
): Promise<Finding[]> {
  const count = await countBindings(databaseUrl, appId).catch(() => 0) // The check of the store reports the failure.
  if (count === 0) return []
  return [
    warn('store.other-account', {
      en: `${counted(count, 'binding')} ${count === 1 ? 'belongs' : 'belong'} to an Official Account other than WECHAT_APP_ID. Their users appear as bound, but this account cannot send them messages.`,
      zh: `有 ${count} 个绑定属于 WECHAT_APP_ID 以外的公众号。这些用户显示为已绑定，但本账号的消息无法送达。`,
      fix: {
        en: 'If WECHAT_APP_ID is wrong, correct it. After an account migration (账号迁移), run "wechat-bind bindings move-openids --from APPID" with the old AppID: it replaces the openids. Otherwise remove these bindings, so that their users can bind again.',
        zh: '如 WECHAT_APP_ID 有误，请改正。如进行了账号迁移，请运行“wechat-bind bindings move-openids --from 旧AppID”替换 openid。否则请解除这些绑定，让用户重新绑定。',
      },
    }),
  ]
}
