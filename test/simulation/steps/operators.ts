/** The commands of operators, which work on the store. */
import { importBatch } from '../../../server/binding/import.ts'
import type { Op } from '../model/explain.ts'
import { importLines } from '../model/import.ts'
import type { UserKey } from '../model/state.ts'
import type { Instance } from '../world/instance.ts'
import { account, openids } from '../world/wechat.ts'
import { identityOf, type World } from '../world/world.ts'
import { type Exchange, FAILED, keyOf } from './exchange.ts'
import type { RequestStep } from './requests.ts'

/** A command of an operator, which works on the store. */
export function onStore(instance: Instance, op: Op, run: () => Promise<object>): Exchange {
  const send = () =>
    run().catch((error: { code?: string }) => {
      if (error.code !== 'STORE_UNAVAILABLE') throw error
      return { failed: true }
    })
  return {
    instance,
    send: () => Promise.race([send(), instance.death]),
    read: (result) => ({ value: 'failed' in result ? FAILED : result }),
    op: () => op,
  }
}

export function importing(world: World, instance: Instance, step: Extract<RequestStep, { do: 'import' }>): Exchange {
  const seen = new Set<UserKey>()
  const lines = step.lines
    .map(({ user, phone }) => ({ key: keyOf({ user }), openid: openids[phone % openids.length]!, label: null }))
    .filter(({ key }) => !seen.has(key) && seen.add(key))
  const now = world.time.clock()
  const bindings = lines.map(({ key, openid, label }) => ({
    identity: identityOf(key),
    binding: {
      appId: account.appId,
      openid,
      unionid: null,
      subscribed: true,
      boundAt: now,
      eventTime: Math.floor(now / 1000),
      label,
      lang: 'zh-CN' as const,
    },
  }))
  const op: Op = (s) => importLines(s, lines, step.conflict)
  return onStore(instance, op, async () => ({
    outcomes: await importBatch(instance.deps, bindings, { conflict: step.conflict, planned: undefined }),
  }))
}
