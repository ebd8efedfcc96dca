/** Wraps the store and the calls to WeChat, to count and time each operation. */

import { type Fetch, readCapped } from '../platform.ts'
import type { Store } from '../store/store.ts'
import { isKnownErrcode } from '../wechat/errcode.ts'
import { MAX_ANSWER } from '../wechat/http.ts'
import type { Metrics } from './metrics.ts'

/** Instruments the operations that a request waits for. */
export function instrumentStore(store: Store, { storeDuration, storeFailures }: Metrics): Store {
  function timed<A extends unknown[], R>(
    operation: string,
    work: (...args: A) => Promise<R>,
  ): (...args: A) => Promise<R> {
    const took = storeDuration.labels({ operation })
    const failed = storeFailures.labels({ operation })
    failed.inc(0)
    return async (...args) => {
      const startedAt = performance.now()
      try {
        return await work(...args)
      } catch (error) {
        // Only `STORE_UNAVAILABLE` is a failure of the store. A unit of work may throw refusals, which have other codes.
        if ((error as { code?: unknown }).code === 'STORE_UNAVAILABLE') failed.inc()
        throw error
      } finally {
        took.observe((performance.now() - startedAt) / 1000)
      }
    }
  }

  return {
    ...store,
    write: timed('write', store.write) as Store['write'],
    user: timed('user', store.user),
    userVersion: timed('user_version', store.userVersion),
    users: timed('users', store.users),
    userRecord: timed('user_record', store.userRecord),
    listBindings: timed('list_bindings', store.listBindings),
    events: timed('events', store.events),
    liveTicket: timed('live_ticket', store.liveTicket),
    countAttempt: timed('count_attempt', store.countAttempt),
    ping: timed('ping', store.ping),
    sweep: timed('sweep', store.sweep),
  }
}

const calls: Record<string, string> = {
  '/cgi-bin/stable_token': 'token',
  '/cgi-bin/qrcode/create': 'qrcode',
  '/cgi-bin/user/info': 'user_info',
  '/cgi-bin/user/info/batchget': 'user_info',
  '/sns/oauth2/access_token': 'oauth',
}

const decoder = new TextDecoder()

/**
 * Reads the body of each answer, because WeChat sends errors with HTTP 200. Returns an answer with the bytes read. A clone would
 * buffer a body of any size. Calls `onToken` for each access token received, and `onRefusal` with the errcode of each refusal, or
 * with 0 if there was no readable answer.
 */
export function instrumentFetch(
  fetch: Fetch,
  { wechatAnswers, wechatDuration }: Metrics,
  { onToken, onRefusal }: { onToken: () => void; onRefusal: (errcode: number) => void },
): Fetch {
  return async (url, init) => {
    const path = new URL(url).pathname
    // Any other path belongs to the operator's own token service.
    const call = Object.entries(calls).find(([end]) => path.endsWith(end))?.[1] ?? 'token'
    const end = wechatDuration.startTimer({ call })
    let errcode: number | undefined
    try {
      const response = await fetch(url, init)
      if (!response.ok) return response
      const body = await readCapped(response, MAX_ANSWER)
      errcode = readErrcode(decoder.decode(body))
      if (call === 'token' && errcode === 0) onToken()
      return new Response(body.length > 0 ? body : null, response)
    } finally {
      end()
      wechatAnswers.inc({ call, errcode: toLabel(errcode) })
      if (errcode !== 0) onRefusal(errcode ?? 0)
    }
  }
}

/** Returns 0 for an answer without an error, and undefined for an unreadable answer. */
function readErrcode(text: string): number | undefined {
  try {
    const { errcode = 0 } = JSON.parse(text) as { errcode?: unknown }
    return Number.isSafeInteger(errcode) ? (errcode as number) : undefined
  } catch {
    return undefined
  }
}

/** Returns one of a fixed set of labels. */
function toLabel(errcode: number | undefined): string {
  if (errcode === undefined) return 'none'
  return errcode === 0 || isKnownErrcode(errcode) ? String(errcode) : 'other'
}
