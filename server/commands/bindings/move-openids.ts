/** `wechat-bind bindings move-openids`: asks WeChat for the new openids of a migrated account's users, and stores them in the bindings. */
import { type MoveOutcome, moveOpenids, type OpenidMove } from '../../binding/move-openids.ts'
import { type Bilingual, BindError } from '../../errors.ts'
import { createBatchSize } from '../../store/batch-size.ts'
import type { BoundUser } from '../../store/binding-walk.ts'
import type { Store } from '../../store/store.ts'
import type { ChangedOpenid, WechatApi } from '../../wechat/api.ts'
import type { Terminal } from '../terminal.ts'
import { walkPages } from './walk.ts'

export type MoveOptions = {
  from: string
  /** The old account's original id, `gh_…`, which WeChat may ask for instead of its AppID. */
  originalId: string | undefined
  tenant: string | undefined
  /** The new account, `WECHAT_APP_ID`. */
  appId: string
  /** Whether one WeChat account may be bound to several users (`CONFLICT=allow`). */
  allowsMany: boolean
  isDryRun: boolean
}

type MoveDeps = { store: Store; wechat: Pick<WechatApi, 'changeOpenids'>; clock: () => number; terminal: Terminal }

// The limit of `changeopenid`.
const OPENIDS_PER_CALL = 100

type Outcome = MoveOutcome | 'refused'

/** Returns whether every openid was moved. */
export async function moveAll(deps: MoveDeps, options: MoveOptions): Promise<boolean> {
  const { store, terminal } = deps
  const { from, tenant, appId } = options
  if (from === appId) {
    throw new BindError(
      'BAD_REQUEST',
      '--from is WECHAT_APP_ID: --from is the old account, and WECHAT_APP_ID the new one.\n--from 与 WECHAT_APP_ID 相同：--from 为旧账号，WECHAT_APP_ID 为新账号。',
    )
  }
  if (from.startsWith('gh_')) {
    throw new BindError(
      'BAD_REQUEST',
      '--from is an original id: --from is the AppID (wx...) with which the bindings are stored; pass the original id with --original-id.\n--from 为原始 ID：--from 须为绑定所存的 AppID（wx...），原始 ID 请用 --original-id。',
    )
  }
  const change = createChange(deps, options)
  const counts: Record<Outcome, number> = { moved: 0, taken: 0, changed: 0, refused: 0 }
  const batch = createBatchSize()
  let done = 0
  for await (const page of walkPages(store, { tenant, appId: from }, OPENIDS_PER_CALL)) {
    const changed = await change(page).catch(async (error) => {
      if (done > 0) await terminal.report(toSummary(counts, options.isDryRun))
      throw error
    })
    const moves = page.flatMap((bound, i): OpenidMove[] => {
      const result = changed[i]!
      return 'openid' in result ? [{ bound, to: { appId, openid: result.openid } }] : []
    })
    const outcomes = await moveOpenids(deps, moves, options, batch)
    const outcomeOf = new Map(moves.map(({ bound }, i) => [bound, outcomes[i]!]))
    for (const [i, bound] of page.entries()) {
      const outcome = outcomeOf.get(bound) ?? 'refused'
      counts[outcome]++
      if (outcome !== 'moved') await terminal.report(toReport(bound, outcome, changed[i]!))
    }
    done += page.length
    terminal.progress(`${done}`)
  }
  await terminal.print(toSummary(counts, options.isDryRun))
  return counts.taken + counts.refused === 0
}

/** Asks with the AppID, and with the original id if WeChat refuses the AppID. Several users may have the same openid. */
function createChange({ wechat }: MoveDeps, { from, originalId }: MoveOptions) {
  let asked = from

  async function changeOnce(openids: string[]): Promise<ChangedOpenid[]> {
    try {
      return await wechat.changeOpenids(asked, openids)
    } catch (error) {
      if (originalId === undefined || asked === originalId || !isRefusal(error)) throw error
      asked = originalId
      return wechat.changeOpenids(asked, openids)
    }
  }

  return async (page: BoundUser[]): Promise<ChangedOpenid[]> => {
    const openids = [...new Set(page.map(({ binding }) => binding.openid))]
    const results = await changeOnce(openids)
    const byOld = new Map(openids.map((openid, i) => [openid, results[i]!]))
    return page.map(({ binding }) => byOld.get(binding.openid)!)
  }
}

const isRefusal = (error: unknown) => error instanceof BindError && error.code === 'WECHAT_FORBIDDEN'

const reasons: Record<Exclude<Outcome, 'moved'>, Bilingual> = {
  refused: {
    en: 'WeChat returned no new openid: the user did not follow the old account, and must bind again',
    zh: '微信未给出新 openid：该用户未关注旧账号，须重新绑定',
  },
  taken: {
    en: 'the new openid is already bound to another user: unbind one of the two users',
    zh: '新 openid 已绑定其他用户，请解绑其一',
  },
  changed: {
    en: 'the user has bound again in the meantime: no action is needed',
    zh: '该用户已重新绑定，无需处理',
  },
}

function toReport({ identity }: BoundUser, outcome: Exclude<Outcome, 'moved'>, changed: ChangedOpenid): string {
  const { en, zh } = reasons[outcome]
  const said = 'refusal' in changed ? ` (${changed.refusal})` : ''
  return `${identity.tenant} ${identity.account} ${identity.userId}: ${en}${said}. ${zh}${said}。`
}

function toSummary({ moved, taken, changed, refused }: Record<Outcome, number>, isDryRun: boolean): string {
  const [en, zh] = isDryRun ? ['Dry run, nothing changed', '试运行，未作改动'] : ['Moved', '已迁移']
  return (
    `${en}: ${moved} moved, ${refused} refused by WeChat, ${taken} taken, ${changed} bound anew meanwhile. ` +
    `${zh}：迁移 ${moved}，微信拒绝 ${refused}，已被占用 ${taken}，期间已重新绑定 ${changed}。`
  )
}
