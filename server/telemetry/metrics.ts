/** What the operator can count, in Prometheus' words. No label ever holds an id, and each has a known set of values. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ErrorCode } from '../errors.ts'
import type { Change } from '../store/store.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** What a QR goes through. `expired` and `conflict` are scans that were turned away. */
const steps = ['shown', 'scanned', 'confirmed', 'bound', 'expired', 'conflict'] as const

export type Step = (typeof steps)[number]

// From a commit that took one turn of the event loop to a statement that ran into its time-out.
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

// WeChat answers in tenths of a second, and is given up after 4 s.
const WECHAT_SECONDS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 4]

// From "open WeChat and scan" to a newcomer who had to follow first; a page makes a new QR after two minutes.
const BIND_SECONDS = [2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600]

// A callback has 5 s; a long-poll is answered after 25.
const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 25]

/** A registry of its own, so that two apps in one process do not count together. `waiters` is read at each scrape. */
export function createMetrics(waiters: () => number) {
  const registry = new Registry()
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `wechat_bind_${name}`, help, labelNames, registers: [registry] })
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]) =>
    new Histogram({ name: `wechat_bind_${name}`, help, buckets, labelNames, registers: [registry] })

  /** Reads its value at each scrape; undefined where there is none. */
  function gauge(name: string, help: string, read: () => Promise<number | undefined> | number | undefined): void {
    new Gauge({
      name: `wechat_bind_${name}`,
      help,
      registers: [registry],
      async collect() {
        const value = await read()
        if (value === undefined) this.remove()
        else this.set(value)
      },
    })
  }

  gauge('waiters', 'Long-polls that wait now.', waiters)
  const funnel = counter(
    'funnel_total',
    'Steps of a QR: shown (made at WeChat), scanned (accepted), confirmed (under CONFIRM), bound; expired and conflict: scans turned away.',
    'step',
  )
  // From zero on, so that the first of a kind is an increase that `rate` sees.
  for (const step of steps) funnel.inc({ step }, 0)
  const callbacks = counter(
    'callbacks_total',
    "WeChat's deliveries: ours, other (not ours), refused (not from WeChat), failed (answered 500).",
    'outcome',
  )
  for (const outcome of ['ours', 'other', 'refused', 'failed']) callbacks.inc({ outcome }, 0)
  const wechatAnswers = counter(
    'wechat_answers_total',
    "WeChat's answers to our calls by errcode: 0 is success, none no answer that could be read, other one we do not know.",
    'call',
    'errcode',
  )
  wechatAnswers.inc({ call: 'token', errcode: '0' }, 0)
  const changes = counter('changes_total', 'Bindings made and ended, by reason.', 'type', 'reason')
  const timeToBind = histogram('time_to_bind_seconds', 'From the making of a QR to the binding by it.', BIND_SECONDS)
  const wrongCodes = counter('wrong_codes_total', 'Wrong codes in the chat, wrong digits on the page.', 'where')
  for (const where of ['chat', 'page']) wrongCodes.inc({ where }, 0)
  const requests = counter('http_requests_total', 'Requests answered, by route.', 'route', 'status')
  const durations = histogram(
    'http_duration_seconds',
    'Until the answer; a long-poll waits on purpose.',
    HTTP_SECONDS,
    'route',
  )
  const refusals = counter('refusals_total', 'Requests refused or failed, by code.', 'code')

  return {
    registry,
    gauge,
    callbacks,
    forwards: counter(
      'forwards_total',
      'Deliveries relayed to FORWARD_URL: replied, told (reply dropped), failed, late (after 4.5 s), crowded (too many at once).',
      'outcome',
    ),
    webhooks: counter(
      'webhooks_total',
      'Webhook deliveries: taken (2xx) or refused (anything else, to be tried again).',
      'outcome',
    ),
    wechatAnswers,
    wechatDuration: histogram('wechat_duration_seconds', 'How long WeChat took to answer.', WECHAT_SECONDS, 'call'),
    storeDuration: histogram('store_duration_seconds', 'How long the store took.', STORE_SECONDS, 'operation'),
    storeFailures: counter('store_failures_total', 'What the store failed to do.', 'operation'),
    count: (step: Step) => funnel.inc({ step }),

    /** Under CONFIRM a scan is held first, and what binds is its confirmation. */
    countChanges(made: Change[], isConfirmed: boolean): void {
      for (const change of made) {
        if (change.type === 'scan') funnel.inc({ step: 'scanned' })
        if (change.type === 'wrongCode') wrongCodes.inc({ where: 'chat' })
        if (change.type !== 'bind' && change.type !== 'unbind') continue
        changes.inc({ type: change.type, reason: change.reason })
        if (change.type !== 'bind') continue
        funnel.inc({ step: isConfirmed ? 'confirmed' : 'scanned' })
        funnel.inc({ step: 'bound' })
        if (change.shownAt !== undefined) timeToBind.observe((change.at - change.shownAt) / 1000)
      }
    },

    countRequest(route: string, status: number, seconds: number, code: ErrorCode | undefined): void {
      requests.inc({ route, status })
      durations.observe({ route }, seconds)
      if (code === undefined) return
      refusals.inc({ code })
      if (code === 'WRONG_CODE') wrongCodes.inc({ where: 'page' })
      if (code === 'CONFLICT') funnel.inc({ step: 'conflict' })
    },

    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
