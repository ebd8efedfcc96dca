/** The commands of operators. They use the store directly. */
import { importBatch } from '../../../server/binding/import.ts'
import { moveAll } from '../../../server/commands/bindings/move-openids.ts'
import type { Terminal } from '../../../server/commands/terminal.ts'
import type { Op } from '../model/explain.ts'
import { importLines } from '../model/import.ts'
import { moveOpenids } from '../model/move.ts'
import { isOld, type UserKey } from '../model/state.ts'
import type { Instance } from '../world/instance.ts'
import { account, newOpenidOf, OLD_APP, oldOpenids, openids } from '../world/wechat.ts'
import { identityOf, type World } from '../world/world.ts'
import { type Exchange, FAILED, keyOf, later } from './exchange.ts'
import type { RequestStep } from './requests.ts'

/** A command of an operator. It uses the store directly. */
export function onStore(instance: Instance, op: Exchange['op'], run: () => Promise<object>): Exchange {
  const send = () =>
    run().catch((error: { code?: string }) => {
      if (error.code !== 'STORE_UNAVAILABLE') throw error
      return { failed: true }
    })
  return {
    instance,
    send: () => Promise.race([send(), instance.death]),
    read: (result) => ({ value: 'failed' in result ? FAILED : result }),
    op,
  }
}

export function importing(world: World, instance: Instance, step: Extract<RequestStep, { do: 'import' }>): Exchange {
  const seen = new Set<UserKey>()
  const lines = step.lines
    .map(({ user, phone, isOld = false }) => {
      const names = isOld ? oldOpenids : openids
      return { key: keyOf({ user }), openid: names[phone % names.length]!, label: null }
    })
    .filter(({ key }) => !seen.has(key) && seen.add(key))
  const now = world.time.clock()
  const bindings = lines.map(({ key, openid, label }) => ({
    identity: identityOf(key),
    binding: {
      appId: isOld(openid) ? OLD_APP : account.appId,
      openid,
      unionid: null,
      subscribed: true,
      boundAt: now,
      eventTime: Math.floor(now / 1000),
      label,
      lang: 'zh-CN' as const,
    },
  }))
  const conflict = step.conflict === 'allow' && world.settings.conflict !== 'allow' ? 'reject' : step.conflict
  const op: Op = (s) => importLines(s, lines, conflict)
  return onStore(
    instance,
    () => op,
    async () => ({
      outcomes: await importBatch(instance.deps, bindings, { conflict, planned: undefined }),
    }),
  )
}

/** Returns the number of lines in the report. */
function createTerminal() {
  const lines: string[] = []
  const print = async (line: string) => void lines.push(line)
  const terminal: Terminal = {
    write: print,
    print,
    report: print,
    progress() {},
    columns: undefined,
    confirm: undefined,
  }
  return { terminal, lines }
}

/** `wechat-bind bindings move-openids`. */
export function moving(world: World, instance: Instance, isDryRun: boolean): Exchange {
  const allowsMany = world.settings.conflict === 'allow'
  const { terminal, lines } = createTerminal()
  const options = {
    from: OLD_APP,
    originalId: undefined,
    tenant: undefined,
    appId: account.appId,
    allowsMany,
    isDryRun,
  }
  async function run(): Promise<object> {
    try {
      const isAll = await moveAll({ ...instance.deps, terminal }, options)
      return { isAll, lines: lines.length }
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (code.startsWith('WECHAT_')) return { code: 'WECHAT' }
      throw error
    }
  }
  const toOp: Exchange['op'] = ({ isPending }) =>
    function* (m) {
      const walk = yield* moveOpenids.read(m)
      if (walk.length === 0) return { isAll: true, lines: 1 }
      const resume: Op = (s) => moveOpenids.move(s, walk, newOpenidOf, isDryRun)
      return isPending ? later({ key: '*', resume: () => resume }) : yield* resume(m, () => 0)
    }
  return onStore(instance, toOp, run)
}
