/** The Prometheus metrics. No label contains an id, and each label has a fixed set of values. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { QrcodeSource } from '../binding/qrcode-pool.ts'
import type { ErrorCode } from '../errors.ts'
import type { Change } from '../store/store.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** The steps of a QR code. `expired` and `conflict` are refused scans. */
const steps = ['shown', 'scanned', 'confirmed', 'bound', 'expired', 'conflict'] as const

type Step = (typeof steps)[number]

// The range is from a commit within one turn of the event loop to a statement that reached its timeout.
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

// WeChat usually answers within 0.1 to 0.9 s. A call is aborted after 4 s.
const WECHAT_SECONDS = [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.5, 4]

// The range is from a quick scan to a user who has to follow the account first. A page makes a new QR code after two minutes.
const BIND_SECONDS = [2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600]

// WeChat waits 5 s for a callback. A long-poll is answered after at most 25 s.
const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 25]

/** Each app has its own registry, so two apps in one process count separately. `waiters` is called at each scrape. */
export function createMetrics(waiters: () => number) {
  const registry = new Registry()
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `wechat_bind_${name}`, help, labelNames, registers: [registry] })
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]) =>
    new Histogram({ name: `wechat_bind_${name}`, help, buckets, labelNames, registers: [registry] })

  /** `read` is called at each scrape. If it returns undefined, the series is removed. */
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

  gauge('waiters', 'Long-polls waiting now.', waiters)
  const funnel = counter(
    'funnel_total',
    'QR codes by step: shown (made for a user), scanned (accepted), confirmed (with CONFIRM), bound; expired and conflict are refused scans.',
    'step',
  )
  // The counters start at zero, so that `rate` includes the first increase.
  for (const step of steps) funnel.inc({ step }, 0)
  const callbacks = counter(
    'callbacks_total',
    'Deliveries from WeChat: ours (about binding), other (not about binding), refused (not from WeChat), failed (answered 500).',
    'outcome',
  )
  for (const outcome of ['ours', 'other', 'refused', 'failed']) callbacks.inc({ outcome }, 0)
  const wechatAnswers = counter(
    'wechat_answers_total',
    'Answers of WeChat to calls of this server, by errcode; 0: success, none: no readable answer, other: an unknown errcode.',
    'call',
    'errcode',
  )
  wechatAnswers.inc({ call: 'token', errcode: '0' }, 0)
  const qrcodes = counter(
    'qrcodes_total',
    'QR codes that users got: from the pool (made in advance, QR_READY) or made on request.',
    'source',
  )
  for (const source of ['pool', 'request'] satisfies QrcodeSource[]) qrcodes.inc({ source }, 0)
  const unusedQrcodes = counter(
    'qrcodes_unused_total',
    'QR codes that were made in advance and discarded, because no user got them within five minutes.',
  )
  const changes = counter('changes_total', 'Binds and unbinds, by reason.', 'type', 'reason')
  const timeToBind = histogram(
    'time_to_bind_seconds',
    'Time from the creation of a QR code to its binding.',
    BIND_SECONDS,
  )
  const wrongCodes = counter('wrong_codes_total', 'Wrong codes in the chat and wrong digits on the page.', 'where')
  for (const where of ['chat', 'page']) wrongCodes.inc({ where }, 0)
  const requests = counter('http_requests_total', 'Requests answered, by route.', 'route', 'status')
  const durations = histogram(
    'http_duration_seconds',
    'Time until the answer; long-polls wait up to 25 s.',
    HTTP_SECONDS,
    'route',
  )
  const refusals = counter('refusals_total', 'Requests refused or failed, by code.', 'code')

  const forwards = counter(
    'forwards_total',
    'Deliveries for FORWARD_URL: replied, told (reply ignored), failed, late (no answer in 4.5 s), crowded (not sent, too many at once).',
    'outcome',
  )
  for (const outcome of ['replied', 'told', 'failed', 'late', 'crowded']) forwards.inc({ outcome }, 0)

  return {
    registry,
    gauge,
    callbacks,
    forwards,
    webhooks: counter(
      'webhooks_total',
      'Webhook deliveries: taken (answered 2xx) or refused (any other answer; delivered again later).',
      'outcome',
    ),
    wechatAnswers,
    wechatDuration: histogram('wechat_duration_seconds', 'Time until WeChat answered.', WECHAT_SECONDS, 'call'),
    storeDuration: histogram('store_duration_seconds', 'Duration of store operations.', STORE_SECONDS, 'operation'),
    storeFailures: counter('store_failures_total', 'Store operations that failed.', 'operation'),
    count: (step: Step) => funnel.inc({ step }),

    countQrcode(source: QrcodeSource): void {
      funnel.inc({ step: 'shown' })
      qrcodes.inc({ source })
    },

    countUnusedQrcodes: (count: number) => unusedQrcodes.inc(count),

    /** A binding counts as confirmed if `isConfirmed` (CONFIRM is not `off`), otherwise as scanned. */
    countChanges(made: Change[], isConfirmed: boolean): void {
      for (const change of made) {
        if (change.type === 'scan') funnel.inc({ step: 'scanned' })
        if (change.type === 'wrongCode') wrongCodes.inc({ where: 'chat' })
        if (change.type !== 'bind' && change.type !== 'unbind') continue
        changes.inc({ type: change.type, reason: change.reason })
        if (change.type !== 'bind') continue
        // A web authorization has no scan.
        if (change.reason !== 'oauth') funnel.inc({ step: isConfirmed ? 'confirmed' : 'scanned' })
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
