/** A child process with waiting pages: `fork(pages.ts)`, then a message `PagesOrder`. */
import { setTimeout as delay } from 'node:timers/promises'
import type { State } from '../../../widget/state.ts'
import { toRequest, withoutWait } from '../long-poll/contender.ts'
import { runElement } from '../long-poll/element.ts'
import { createConnection } from './connection.ts'

export type PagesOrder =
  | { open: { host: string; port: number; tokens: string[]; isInStep: boolean; isRandom: boolean } }
  /** Every twentieth page is loaded again by its user. */
  | 'reload'
  | 'figures'

/**
 * `slowestMs`: the slowest answer, without the time for which a poll has to wait. `failures`: requests without an answer. `shown`:
 * pages that have shown their first QR code.
 */
export type PagesFigures = {
  slowestMs: number
  answers: number
  failures: number
  shown: number
  bound: number
  stopped: number
}

// An error with a stack costs more than a connection, and a page on a computer of its own would not be late.
Error.stackTraceLimit = 0

// In step: all pages send their requests at the same moments.
const STEP_MS = 2_000
const WAIT_MS = 25_000
// The pages that load their QR code at once. More would be a storm of its own.
const LOADING = 200

let figures: PagesFigures = { slowestMs: 0, answers: 0, failures: 0, shown: 0, bound: 0, stopped: 0 }
const reloads: (() => void)[] = []

process.on('message', (order: PagesOrder) => {
  if (order === 'figures') {
    process.send?.(figures)
    figures = { ...figures, slowestMs: 0, answers: 0, failures: 0 }
  } else if (order === 'reload') {
    for (const reload of reloads) reload()
  } else void open(order.open)
})

async function open({ host, port, tokens, isInStep, isRandom }: Extract<PagesOrder, object>['open']): Promise<void> {
  const random = isRandom ? Math.random : () => 0.5
  const sleep = isInStep
    ? (ms: number, signal: AbortSignal) => {
        const at = Math.ceil((Date.now() + ms) / STEP_MS) * STEP_MS
        return delay(at - Date.now(), undefined, { signal })
      }
    : undefined
  for (const [i, token] of tokens.entries()) {
    const connection = createConnection(host, port)
    let page = new AbortController()
    let isShown = false
    const onState = ({ name }: State) => {
      if (name !== 'ready' || isShown) return
      isShown = true
      figures.shown++
    }
    const run = () => {
      page = new AbortController()
      const { signal } = page
      const send = (state: State) => measure(connection.send(requestOf(state, token)), state)
      void runElement({ send, random, onState, signal, ...(sleep && { sleep }) }).then(({ name }) => {
        if (name === 'bound') figures.bound++
        else if (!signal.aborted) figures.stopped++
      })
    }
    run()
    if (i % 20 === 0) {
      reloads.push(() => {
        page.abort()
        connection.destroy()
        run()
      })
    }
    while (i - figures.shown >= LOADING) await delay(10)
  }
}

function requestOf(state: State, token: string): string {
  if (state.name !== 'loading') return toRequest('/widget/binding', token, 'version' in state ? state.version : 0)
  return withoutWait(toRequest('/widget/qrcode', token))
    .replace('GET', 'POST')
    .replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n')
}

async function measure(sent: Promise<Response>, state: State): Promise<Response> {
  const sentAt = performance.now()
  try {
    const answer = await sent
    const waitedMs = answer.status === 304 ? WAIT_MS : 0
    const ms = performance.now() - sentAt - waitedMs
    // A poll that is answered 200 has waited for a change, unless the change was made before.
    if (state.name === 'loading' || answer.status !== 200 || ms < WAIT_MS)
      figures.slowestMs = Math.max(figures.slowestMs, ms)
    figures.answers++
    return answer
  } catch (error) {
    figures.failures++
    throw error
  }
}
