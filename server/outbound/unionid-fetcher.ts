/**
 * Asks WeChat in the background for the unionid of each new binding. The answer also says whether the WeChat user follows the
 * account, which a binding without a scan does not know. A binding does not wait for its unionid.
 */
import type { Log, SetTimer } from '../platform.ts'
import type { Change, Store, UnionidAnswer, UnionidRequest } from '../store/store.ts'
import type { UserInfo, WechatApi } from '../wechat/api.ts'
import { createWakeLoop } from './wake-loop.ts'

export type UnionidFetcher = {
  /** Starts fetching if one of the changes is a binding. */
  follow(changes: Change[]): void
  /** Fetches all unionids that are due. Called every minute, because work claimed by an instance that died becomes due again. */
  fetchDue(): void
  /** Resolves when no request is in flight. */
  idle(): Promise<void>
  /** Works like `idle`, for `ms` at most. */
  settle(ms: number): Promise<void>
  /** Waits for the request in flight and starts no other. The remaining unionids are due at the next start. */
  close(): Promise<void>
}

type UnionidDeps = { store: Store; wechat: WechatApi; clock: () => number; setTimer: SetTimer; log: Log }

// The limit of `user/info/batchget`.
const BATCH = 100

// If WeChat refuses the batch, single calls are made, four at a time. One write saves the answers of 20 calls.
const SINGLES_PER_WRITE = 20
const SINGLES_AT_ONCE = 4

// This limits fetching to 400 users a second, about 2 % of a core. A campaign with thousands of bindings a second needs the CPU
// for its callbacks.
const PAUSE_MS = 250

// A claimed request without an answer becomes due again at all instances after this time.
const RECLAIM_AFTER_MS = 60_000

export function createUnionidFetcher({ store, wechat, clock, setTimer, log }: UnionidDeps): UnionidFetcher {
  let isClosed = false
  let endPause = () => {}
  /** Until this time (epoch ms) single calls replace the batch. */
  let singlesUntil = 0

  const loop = createWakeLoop(async () => {
    try {
      const now = clock()
      const limit = now < singlesUntil ? SINGLES_PER_WRITE : BATCH
      const due = await store.unionids.claimDue(now, now + RECLAIM_AFTER_MS, limit)
      if (due.length > 0) await fetchAll(due, now)
      if (due.length === BATCH) await pause()
      return due.length > 0
    } catch (error) {
      log.warn({ code: codeOf(error) }, 'the unionids could not be fetched; the server tries again in a minute or two')
      return false
    }
  })

  async function fetchAll(due: UnionidRequest[], now: number): Promise<void> {
    const answers = due.length > 1 && now >= singlesUntil ? await fetchBatch(due, now) : undefined
    if (answers) return store.unionids.save(answers, clock())
    for (let i = 0; i < due.length && !isClosed; i += SINGLES_PER_WRITE) {
      await fetchSingles(due.slice(i, i + SINGLES_PER_WRITE))
    }
  }

  /**
   * Returns undefined if WeChat refuses the whole batch. An unknown openid or a missing permission of the account is enough for
   * this.
   */
  async function fetchBatch(due: UnionidRequest[], now: number): Promise<UnionidAnswer[] | undefined> {
    try {
      const infos = await wechat.getUserInfos(due.map(({ openid }) => openid))
      return due.map((request, i) => toAnswer(request, infos[i]!))
    } catch (error) {
      log.info(
        { code: codeOf(error) },
        'WeChat refused a batch of unionids; the server makes single calls for a minute',
      )
      singlesUntil = now + RECLAIM_AFTER_MS
      return undefined
    }
  }

  /** Saves the answers received, then throws the first error, because WeChat would not answer the remaining calls either. */
  async function fetchSingles(due: UnionidRequest[]): Promise<void> {
    const answers: UnionidAnswer[] = []
    let fault: unknown
    const worker = async () => {
      for (let next = due.pop(); next && fault === undefined && !isClosed; next = due.pop()) {
        try {
          answers.push(toAnswer(next, await wechat.getUserInfo(next.openid)))
        } catch (error) {
          fault = error
        }
      }
    }
    await Promise.all(Array.from({ length: SINGLES_AT_ONCE }, worker))
    if (answers.length > 0) await store.unionids.save(answers, clock())
    if (fault !== undefined) throw fault
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      if (isClosed) return resolve()
      const cancel = setTimer(resolve, PAUSE_MS)
      endPause = () => {
        cancel()
        resolve()
      }
    })
  }

  return {
    follow(changes) {
      if (changes.some(({ type }) => type === 'bind')) loop.wake()
    },
    fetchDue: loop.wake,
    idle: loop.idle,
    settle: (ms) =>
      new Promise((resolve) => {
        const cancel = setTimer(resolve, ms)
        void loop.idle().then(() => {
          cancel()
          resolve()
        })
      }),
    close() {
      isClosed = true
      endPause()
      return loop.close()
    },
  }
}

const toAnswer = ({ user, openid, ...asked }: UnionidRequest, { unionid, isFollower }: UserInfo): UnionidAnswer => ({
  user,
  openid,
  unionid: unionid ?? null,
  follows: isFollower ? asked : undefined,
})

const codeOf = (error: unknown) => (error as { code?: string }).code
