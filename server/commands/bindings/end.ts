/** `wechat-bind bindings unbind` and `erase`. Both ask for a confirmation first. */
import { eraseUser } from '../../binding/erase.ts'
import { unbind } from '../../binding/unbind.ts'
import { BindError } from '../../errors.ts'
import type { Identity, Store } from '../../store/store.ts'
import type { Terminal } from '../terminal.ts'
import { toVisible } from '../text-table.ts'

type EndDeps = { store: Store; clock: () => number; terminal: Terminal }

export type EndOptions = { identity: Identity; isSure: boolean }

/** Returns false if the operator did not confirm. */
export async function unbindUser(deps: EndDeps, { identity, isSure }: EndOptions): Promise<boolean> {
  const { store, clock, terminal } = deps
  const who = describe(identity)
  if (!(await isConfirmed(terminal, isSure, `Unbind ${who}? 解绑 ${who}？`))) return false
  const { user, wasBound } = await unbind({ store, clock, afterCommit: () => {} }, identity, 'operator')
  if (user.id === 0) {
    throw new BindError(
      'NOT_BOUND',
      `There is no user ${who}; with several tenants, add --tenant.\n没有用户 ${who}；如有多个租户，请加 --tenant。`,
    )
  }
  await terminal.print(
    wasBound
      ? `Unbound: ${who}. 已解绑：${who}。`
      : `${who} was not bound; its QR codes no longer work. ${who} 本未绑定；其二维码已失效。`,
  )
  return true
}

// Readers of the feed have this much time to read the event of an erasure. The server keeps the event for the same time.
const FEED_TIME_MS = 10_000

/** Returns false if the operator did not confirm. */
export async function erase(deps: EndDeps, { identity, isSure }: EndOptions): Promise<boolean> {
  const { store, clock, terminal } = deps
  const who = describe(identity)
  const question = `Erase ${who}, with its binding and history? This cannot be undone. 抹除 ${who} 及其绑定与历史？此操作无法撤销。`
  if (!(await isConfirmed(terminal, isSure, question))) return false
  const isKnown = await eraseUser({ store, clock, afterCommit: () => {} }, identity)
  // Completes earlier erasures. A running server does this too, but perhaps none is running.
  await store.purgeErased(clock() - FEED_TIME_MS)
  await terminal.print(
    isKnown
      ? `Erased: ${who}. The server deletes the ids within a minute, or after the webhook has taken the notice. ` +
          `已抹除：${who}。服务会在一分钟内（或 webhook 接收通知后）删除其标识。`
      : `Nothing to erase: the store has no user ${who}; with several tenants, add --tenant. ` +
          `无需抹除：存储中没有用户 ${who}；如有多个租户，请加 --tenant。`,
  )
  return true
}

async function isConfirmed({ confirm, report }: Terminal, isSure: boolean, question: string): Promise<boolean> {
  if (isSure) return true
  if (!confirm) {
    throw new BindError(
      'BAD_REQUEST',
      'The command needs a confirmation, but has no terminal: add --yes.\n该命令需要确认，但没有终端：请加 --yes。',
    )
  }
  if (await confirm(question)) return true
  await report('Nothing was changed. 未作任何改动。')
  return false
}

const describe = ({ tenant, account, userId }: Identity) => toVisible(`${account} ${userId} (${tenant})`)
