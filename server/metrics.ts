/** What the operator can count, in Prometheus' words. No label ever holds an id. */
import { Counter, Gauge, Registry } from 'prom-client'
import type { Change } from './store/store.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** A registry of its own, so that two apps in one process do not count together. `waiters` is read at each scrape. */
export function createMetrics(waiters: () => number) {
  const registry = new Registry()
  const registers = [registry]
  new Gauge({
    name: 'wechat_bind_waiters',
    help: 'Long-polls that wait now.',
    registers,
    collect() {
      this.set(waiters())
    },
  })
  const changes = new Counter({
    name: 'wechat_bind_changes_total',
    help: 'Bindings made and ended, by reason.',
    labelNames: ['type', 'reason'],
    registers,
  })
  return {
    callbacks: new Counter({
      name: 'wechat_bind_callbacks_total',
      help: "WeChat's deliveries: ours, other (not ours), refused (not from WeChat), failed (answered 500).",
      labelNames: ['outcome'],
      registers,
    }),
    forwards: new Counter({
      name: 'wechat_bind_forwards_total',
      help: 'Deliveries relayed to FORWARD_URL: replied, told (reply dropped), failed, late (after 4.5 s), crowded (too many at once).',
      labelNames: ['outcome'],
      registers,
    }),
    webhooks: new Counter({
      name: 'wechat_bind_webhooks_total',
      help: 'Webhook deliveries: taken (2xx) or refused (anything else, to be tried again).',
      labelNames: ['outcome'],
      registers,
    }),
    countChanges(made: Change[]): void {
      for (const change of made) {
        if (change.type === 'bind' || change.type === 'unbind')
          changes.inc({ type: change.type, reason: change.reason })
      }
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
