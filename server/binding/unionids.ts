/** Fetches the unionids after a bind. One is a nicety that WeChat may refuse: nothing waits for it and nothing fails by it. */
import type { Log, SetTimer } from '../platform.ts'
import type { Change, Store, UnionidAnswer, UnionidRequest } from '../store/store.ts'
import type { WechatApi } from '../wechat/api.ts'

export type Unionids = {
  /** Begins to ask where there is a binding among the changes. */
  follow(changes: Change[]): void
  /** Asks for all that is due: at the start and each minute, for what an instance that has ended had taken is due then. */
  fetchDue(): void
  /** Resolves when nothing is asked at present. */
  idle(): Promise<void>
  /** Finishes what is under way; the rest is due at the next start. */
  close(): Promise<void>
}

export type UnionidDeps = { store: Store; wechat: WechatApi; clock: () => number; setTimer: SetTimer; log: Log }

// As many as WeChat answers for in one call.
const MOST_TOGETHER = 100

// Where it does not answer for them together: kept with one write.
const MOST_SINGLY = 20
const AT_ONCE = 4

// A campaign binds thousands a second, and their callbacks need the core: 400 users a second then take some 2 % of it.
const PAUSE_MS = 250

// What was taken and not answered is asked anew, by whichever instance looks first.
const AGAIN_AFTER_MS = 60_000

export function createUnionids({ store, wechat, clock, setTimer, log }: UnionidDeps): Unionids {
  let underway: Promise<void> | undefined
  let isNudged = false
  let isClosed = false
  let endPause = () => {}
  let singlyUntil = 0

  function begin(): void {
    isNudged = true
    if (!isClosed) underway ??= run()
  }

  /** Round after round, while there may be more. What waits is the store's: a crowd costs no memory here. */
  async function run(): Promise<void> {
    try {
      for (let taken = 1; (taken > 0 || isNudged) && !isClosed; ) {
        isNudged = false
        const now = clock()
        const most = now < singlyUntil ? MOST_SINGLY : MOST_TOGETHER
        const due = await store.unionids.claimDue(now, now + AGAIN_AFTER_MS, most)
        taken = due.length
        if (taken > 0) await ask(due, now)
        if (taken === MOST_TOGETHER) await pause()
      }
    } catch (error) {
      log.warn(
        { code: (error as { code?: string }).code },
        'the unionids could not be fetched; again in a minute or two',
      )
    }
    // In the same turn as the last look at `isNudged`, so that no binding falls between.
    underway = undefined
  }

  async function ask(due: UnionidRequest[], now: number): Promise<void> {
    const asked = due.length > 1 && now >= singlyUntil ? await askTogether(due, now) : undefined
    if (asked) return store.unionids.save(asked)
    for (let i = 0; i < due.length && !isClosed; i += MOST_SINGLY) await askOneByOne(due.slice(i, i + MOST_SINGLY))
  }

  /** Undefined where one openid that WeChat does not know spoils it for all, or the account may not ask so. */
  async function askTogether(due: UnionidRequest[], now: number): Promise<UnionidAnswer[] | undefined> {
    try {
      const unionids = await wechat.getUnionids(due.map(({ openid }) => openid))
      return due.map((each, i) => ({ ...each, unionid: unionids[i] ?? null }))
    } catch (error) {
      log.info({ code: (error as { code?: string }).code }, 'no unionids for many at once; one by one for a minute')
      singlyUntil = now + AGAIN_AFTER_MS
      return undefined
    }
  }

  /** Keeps the answers there are. Throws with the first that is none: WeChat would not answer the rest either. */
  async function askOneByOne(due: UnionidRequest[]): Promise<void> {
    const asked: UnionidAnswer[] = []
    let fault: unknown
    const lane = async () => {
      for (let next = due.pop(); next && fault === undefined && !isClosed; next = due.pop()) {
        try {
          asked.push({ ...next, unionid: (await wechat.getUnionid(next.openid)) ?? null })
        } catch (error) {
          fault = error
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    if (asked.length > 0) await store.unionids.save(asked)
    if (fault !== undefined) throw fault
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      if (isClosed) return resolve()
      const cancelPause = setTimer(resolve, PAUSE_MS)
      endPause = () => {
        cancelPause()
        resolve()
      }
    })
  }

  const idle = async () => {
    while (underway) await underway
  }

  return {
    follow(changes) {
      if (changes.some(({ type }) => type === 'bind')) begin()
    },
    fetchDue: begin,
    idle,
    close() {
      isClosed = true
      endPause()
      return idle()
    },
  }
}
