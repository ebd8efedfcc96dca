/**
 * Gives each new ticket one of a few QR codes that were made in advance, so that a page does not wait for WeChat.
 *
 * - The first QR code is made on request. After that, and after each QR code that is taken, the pool is filled.
 * - The pool discards a QR code after five minutes. It makes a new QR code only if a user has taken one since then, so an idle
 *   server makes none.
 * - If users came too rarely for the pool, it would discard most QR codes. `UNUSED_EVERY_MS` limits this: the pool is smaller
 *   while it could exceed the limit.
 *
 * A QR code in the pool belongs to no user. Its scene is not in the store until a ticket is made from it. Before that, a scan counts
 * as a scan of an unknown scene. The pool is in memory, so it is empty after a restart.
 */
import type { SetTimer } from '../platform.ts'
import type { WechatApi } from '../wechat/api.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { createScene, FOLLOW_GRACE_MS } from './ticket.ts'

/** A QR code without a user. `leftMs`: for how long WeChat accepts its scans. */
export type Qrcode = { scene: string; wechatTicket: string; url: string; leftMs: number }

/** Whether a QR code came from the pool or was made on request. */
export type QrcodeSource = 'pool' | 'request'

export type QrcodePool = {
  /** Throws `WECHAT_*` if the pool is empty and WeChat makes no QR code. */
  take(): Promise<Qrcode>
  /** The number of QR codes in the pool. */
  count(): number
  /** Empties the pool. Later calls of `take` ask WeChat. */
  close(): void
}

type PoolDeps = {
  /** How many QR codes are made in advance (`QR_READY`). With 0, every QR code is made on request. */
  qrReady: number
  ticketTtlMs: number
  wechat: Pick<WechatApi, 'createQrcode'>
  /** Monotonic (ms), so that a correction of the system clock does not extend the use of a QR code. */
  clock: () => number
  setTimer: SetTimer
  onTake(source: QrcodeSource): void
  onUnused(count: number): void
}

/** Times of the pool's clock. A ticket that is made after `usableUntil` could outlive the QR code. */
type Ready = Omit<Qrcode, 'leftMs'> & { expiresAt: number; usableUntil: number }

const MAX_AGE_MS = 300_000

// 72 a day, because WeChat allows the sandbox account 10,000 QR codes a day and any other account 100,000. The pool may discard
// twice its size at once, because a busy hour may end at any time.
const UNUSED_EVERY_MS = 1_200_000

// WeChat's longest lifetime of a temporary QR code is 30 days.
const MAX_LIFETIME_MS = 2_592_000_000

export function createQrcodePool(deps: PoolDeps): QrcodePool {
  const { ticketTtlMs, wechat, clock, setTimer, onTake, onUnused } = deps
  const lifetimeMs = MAX_AGE_MS + ticketTtlMs + FOLLOW_GRACE_MS
  const size = lifetimeMs > MAX_LIFETIME_MS ? 0 : deps.qrReady
  const throughBreaker = createCircuitBreaker(clock)

  /** The QR codes of the pool, oldest first. */
  let ready: Ready[] = []
  let calls = 0
  /** While WeChat fails, the pool sends one call after each QR code that is taken. */
  let hasFailed = false
  let isClosed = false
  let lastTakenAt = Number.NEGATIVE_INFINITY
  /** Each discarded QR code moves this time by `UNUSED_EVERY_MS`. */
  let unusedUntil = Number.NEGATIVE_INFINITY
  let stopTimer = () => {}

  async function create(forMs: number): Promise<Qrcode> {
    const scene = createScene()
    const made = await throughBreaker(() => wechat.createQrcode(scene, forMs / 1000))
    return { scene, wechatTicket: made.ticket, url: made.url, leftMs: made.expireSeconds * 1000 }
  }

  /** How many QR codes the pool may hold now. */
  function room(): number {
    const unused = Math.max(0, unusedUntil - clock()) / UNUSED_EVERY_MS
    return isClosed ? 0 : Math.min(size, Math.floor(2 * size - unused))
  }

  function fill(): void {
    const atOnce = hasFailed ? 1 : size
    while (calls < atOnce && ready.length + calls < room()) void createReady()
  }

  async function createReady(): Promise<void> {
    calls++
    const startedAt = clock()
    try {
      const { leftMs, ...qrcode } = await create(lifetimeMs)
      const expiresAt = startedAt + leftMs
      const usableUntil = Math.min(startedAt + MAX_AGE_MS, expiresAt - ticketTtlMs - FOLLOW_GRACE_MS)
      ready.push({ ...qrcode, expiresAt, usableUntil })
      hasFailed = false
    } catch {
      // The metrics count WeChat's answer. A page that needs the QR code asks WeChat itself and gets the error.
      hasFailed = true
      return
    } finally {
      calls--
    }
    refresh()
  }

  /** Discards the old QR codes, fills the pool if it is in use, and schedules itself for the time when the next QR code is old. */
  function refresh(): void {
    const now = clock()
    discard(({ usableUntil }) => isClosed || usableUntil <= now)
    if (now - lastTakenAt < MAX_AGE_MS) fill()
    stopTimer()
    const [oldest] = ready
    stopTimer = oldest ? setTimer(refresh, oldest.usableUntil - now) : () => {}
  }

  function discard(isOld: (each: Ready) => boolean): void {
    const kept = ready.filter((each) => !isOld(each))
    const count = ready.length - kept.length
    if (count === 0) return
    ready = kept
    unusedUntil = Math.max(unusedUntil, clock()) + count * UNUSED_EVERY_MS
    onUnused(count)
  }

  return {
    async take() {
      const now = clock()
      discard(({ usableUntil }) => usableUntil <= now)
      const oldest = ready.shift()
      const qrcode = oldest ? { ...oldest, leftMs: oldest.expiresAt - now } : await create(ticketTtlMs)
      lastTakenAt = clock()
      onTake(oldest ? 'pool' : 'request')
      refresh()
      return qrcode
    },
    count: () => ready.length,
    close() {
      isClosed = true
      refresh()
    },
  }
}
