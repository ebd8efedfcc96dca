/** Fetches the unionid after a bind. It is a nicety that WeChat may refuse: nothing waits for it and nothing fails by it. */
import type { Log } from '../log.ts'
import type { Change, Store } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'

export type Unionids = {
  /** Starts the fetch for each binding among the changes. */
  follow(changes: Change[]): void
  /** Resolves when no fetch is under way and none waits. */
  idle(): Promise<void>
  /** Drops what waits, and finishes what is under way. */
  close(): Promise<void>
}

// A campaign binds thousands a second: without a bound their calls would take five times what the callbacks themselves do.
const AT_ONCE = 4

export function createUnionids({ store, wechat, log }: { store: Store; wechat: WechatApi; log: Log }): Unionids {
  const waiting: { user: number; openid: string }[] = []
  const underway = new Set<Promise<void>>()
  let lanes = 0

  async function drain(): Promise<void> {
    lanes++
    for (let next = waiting.shift(); next; next = waiting.shift()) await fetchFor(next.user, next.openid)
    // In the same turn as the last look, so that nothing is left waiting between.
    lanes--
  }

  async function fetchFor(user: number, openid: string): Promise<void> {
    try {
      const unionid = await wechat.getUnionid(openid)
      if (unionid !== undefined) await store.setUnionid(user, openid, unionid)
    } catch (error) {
      log.warn({ code: (error as { code?: string }).code }, 'the unionid could not be fetched')
    }
  }

  const idle = async () => void (await Promise.all(underway))

  return {
    follow(changes) {
      for (const change of changes) {
        if (change.type !== 'bind') continue
        waiting.push({ user: change.user, openid: change.binding.openid })
        if (lanes === AT_ONCE) continue
        const lane = drain().finally(() => underway.delete(lane))
        underway.add(lane)
      }
    },
    idle,
    close() {
      waiting.length = 0
      return idle()
    },
  }
}
