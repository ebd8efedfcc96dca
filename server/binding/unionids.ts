/** Fetches the unionid after a bind. It is a nicety that WeChat may refuse: nothing waits for it and nothing fails by it. */
import type { Log } from '../log.ts'
import type { Change, Store } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'

export type Unionids = {
  /** Starts the fetch for each binding among the changes. */
  follow(changes: Change[]): void
  /** Resolves when no fetch is under way. */
  idle(): Promise<void>
}

export function createUnionids({ store, wechat, log }: { store: Store; wechat: WechatApi; log: Log }): Unionids {
  const underway = new Set<Promise<void>>()

  async function fetchFor(user: number, openid: string): Promise<void> {
    try {
      const unionid = await wechat.getUnionid(openid)
      if (unionid !== undefined) await store.setUnionid(user, openid, unionid)
    } catch (error) {
      log.warn({ code: (error as { code?: string }).code }, 'the unionid could not be fetched')
    }
  }

  return {
    follow(changes) {
      for (const change of changes) {
        if (change.type !== 'bind') continue
        const fetching = fetchFor(change.user, change.binding.openid).finally(() => underway.delete(fetching))
        underway.add(fetching)
      }
    },
    async idle() {
      await Promise.all(underway)
    },
  }
}
