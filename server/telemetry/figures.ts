/**
 * Counts for the console: the funnel of each tenant, the refusals of WeChat, and the state of this instance. The counts are kept in
 * memory and added to the store every five seconds, and before this instance's console reads them. So a callback only adds a number
 * in memory, and all instances show the same figures. A server that is killed loses only the counts of its last five seconds.
 */
import { BIND_SECONDS, type CountedFigures, type Figures, type WechatErrors } from '../store/console-store.ts'
import type { CommitNotice, Step, Store } from '../store/store.ts'

export type FigureCounter = {
  /** A QR code was made. */
  shown(tenant: string): void
  /** Counts the steps of the funnel in this instance's own commits. */
  committed(notice: CommitNotice): void
  /** A callback of WeChat was accepted. */
  callback(): void
  /** WeChat refused a call. `errcode` 0: WeChat did not answer. */
  refused(errcode: number): void
  /** Adds the counts to the store. Does nothing if there is nothing new. */
  save(): Promise<void>
}

type FigureDeps = {
  store: Pick<Store, 'console'>
  /** Epoch ms. */
  clock: () => number
  /** The random name of this instance. */
  instance: string
  /** Whether a scan needs a confirmation (`CONFIRM`). */
  isConfirmed: boolean
  waiting: () => number
  waitingLimit: number
  token: () => { at: number | undefined; until: number | undefined }
}

const HOUR_MS = 3_600_000

// While pages wait, an instance repeats its report after this time. The console ignores an instance whose report is much older.
export const HEARTBEAT_MS = 10_000

const hourOf = (ms: number) => ms - (ms % HOUR_MS)

export function createFigures({
  store,
  clock,
  instance,
  isConfirmed,
  waiting,
  waitingLimit,
  token,
}: FigureDeps): FigureCounter {
  let figures = new Map<string, Figures>()
  let errors = new Map<string, WechatErrors>()
  let callbackAt: number | undefined
  let saved = { text: '', at: 0 }
  let saving: Promise<void> = Promise.resolve()

  function figuresOf(tenant: string): Figures {
    const hour = hourOf(clock())
    const key = `${hour} ${tenant}`
    const found = figures.get(key)
    if (found) return found
    const made = newFigures(hour, tenant)
    figures.set(key, made)
    return made
  }

  function count(tenant: string, step: Step): void {
    const counts = figuresOf(tenant)
    if (step.name === 'scan') counts.scanned++
    else if (step.name === 'unbind') counts.unbound++
    else {
      // A binding by web authorization has no scan and no confirmation, but it counts in these steps of the funnel too.
      if (!isConfirmed || step.reason === 'oauth') counts.scanned++
      counts.confirmed++
      counts.bound++
      if (step.tookMs !== undefined) counts.took[bucketOf(step.tookMs / 1000)]!++
    }
  }

  /** The state of this instance as a text, without the time, so that a change can be detected. */
  function stateNow() {
    const { at: tokenAt, until: tokenUntil } = token()
    return {
      waiting: waiting(),
      callbackAt: callbackAt ?? null,
      tokenAt: tokenAt ?? null,
      tokenUntil: tokenUntil ?? null,
    }
  }

  async function saveNow(): Promise<void> {
    const now = clock()
    const state = stateNow()
    const text = JSON.stringify(state)
    const isDue = state.waiting > 0 && Math.abs(now - saved.at) >= HEARTBEAT_MS
    if (figures.size === 0 && errors.size === 0 && text === saved.text && !isDue) return
    const counted: CountedFigures = {
      figures: [...figures.values()],
      errors: [...errors.values()],
      instance: { name: instance, at: now, waitingLimit, ...state },
    }
    const [takenFigures, takenErrors] = [figures, errors]
    figures = new Map()
    errors = new Map()
    try {
      await store.console.addFigures(counted)
      saved = { text, at: now }
    } catch (error) {
      // After a failure, the next save adds the counts.
      for (const [key, taken] of takenFigures) figures.set(key, sumOf(taken, figures.get(key)))
      for (const [key, taken] of takenErrors) {
        errors.set(key, { ...taken, count: taken.count + (errors.get(key)?.count ?? 0) })
      }
      throw error
    }
  }

  return {
    shown(tenant) {
      figuresOf(tenant).shown++
    },
    committed(notice) {
      if (notice === 'missed' || !notice.steps) return
      for (const step of notice.steps) count(notice.identity.tenant, step)
    },
    callback() {
      callbackAt = clock()
    },
    refused(errcode) {
      const now = clock()
      const hour = hourOf(now)
      const key = `${hour} ${errcode}`
      errors.set(key, { hour, errcode, count: (errors.get(key)?.count ?? 0) + 1, lastAt: now })
    },
    save() {
      // One save runs at a time, so that an older state of the instance does not replace a newer one.
      saving = saving.then(saveNow, saveNow)
      return saving
    },
  }
}

const newFigures = (hour: number, tenant: string): Figures => ({
  hour,
  tenant,
  shown: 0,
  scanned: 0,
  confirmed: 0,
  bound: 0,
  unbound: 0,
  took: Array<number>(BIND_SECONDS.length + 1).fill(0),
})

function bucketOf(seconds: number): number {
  const index = BIND_SECONDS.findIndex((upTo) => seconds < upTo)
  return index < 0 ? BIND_SECONDS.length : index
}

function sumOf(one: Figures, other: Figures | undefined): Figures {
  if (!other) return one
  return {
    ...one,
    shown: one.shown + other.shown,
    scanned: one.scanned + other.scanned,
    confirmed: one.confirmed + other.confirmed,
    bound: one.bound + other.bound,
    unbound: one.unbound + other.unbound,
    took: one.took.map((count, i) => count + other.took[i]!),
  }
}
