/**
 * The simulated account migration (账号迁移): `cgi-bin/changeopenid` converts the openids of the old account. The sources are
 * WeChat's page "转换openid" and answers that developers have posted:
 * https://developers.weixin.qq.com/doc/service/api/usermanage/changeopenid/api_changeopenid.html
 */
import { type Account, toOpenid } from './account.ts'
import { WechatRefusal } from './errcodes.ts'
import type { Phone } from './phone.ts'

/** The old account, and the time when the administrators confirmed the migration (epoch ms). */
export type Migration = Pick<Account, 'appId' | 'originalId'> & { confirmedAt: number }

type MigrationDeps = { migration: Migration | undefined; phones: Phone[]; account: Account; now: number }

const MAX_OPENIDS = 100
const WINDOW_MS = 15 * 86_400_000

const APPID_WRONG = 63178
const LIST_EMPTY = 63182
const LIST_TOO_LONG = 40032

/**
 * The documentation requires the original id in `from_appid`, but developers report that only the AppID works. The
 * simulator accepts both.
 */
export function changeOpenids(
  { migration, phones, account, now }: MigrationDeps,
  { from_appid: from, openid_list: openids }: Record<string, unknown>,
): object {
  const isFrom = migration && (from === migration.appId || from === migration.originalId)
  if (!isFrom || now < migration.confirmedAt || now >= migration.confirmedAt + WINDOW_MS) {
    throw new WechatRefusal(APPID_WRONG)
  }
  if (!Array.isArray(openids) || openids.length === 0) throw new WechatRefusal(LIST_EMPTY)
  if (openids.length > MAX_OPENIDS) throw new WechatRefusal(LIST_TOO_LONG)
  const byOld = new Map(phones.map((phone) => [toOpenid({ ...account, appId: migration.appId }, phone.person), phone]))
  const result_list = openids.map((ori_openid: unknown) => {
    const phone = byOld.get(String(ori_openid))
    return phone ? { ori_openid, new_openid: phone.openid, err_msg: 'ok' } : { ori_openid, err_msg: 'ori_openid error' }
  })
  return { errcode: 0, errmsg: 'ok', result_list }
}
