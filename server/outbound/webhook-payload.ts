/** Makes the payload of an event, which receivers of webhooks and readers of the feed get. */
import type { BindingEvent } from '../store/event-feed.ts'
import type { WebhookPayload } from '../wire.ts'

export function toPayload(event: BindingEvent): WebhookPayload {
  const { tenant: Tenant, account: Account, userId: User_ID } = event.identity
  const ids = { OpenId: event.openid, UnionId: event.unionid, AppId: event.appId }
  return {
    type: `binding.${event.type}`,
    timestamp: new Date(event.at).toISOString(),
    data: {
      Tenant,
      Account,
      User_ID,
      ...(event.type === 'unbound' ? {} : ids),
      Version: event.version,
      Reason: event.reason,
    },
  }
}
