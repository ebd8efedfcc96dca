/** The line of a receiver in `wechat-bind webhooks list`. */
import { failureText } from '../outbound/webhook-request.ts'
import type { QueueLength, ReceiverState } from '../store/outbox.ts'

type ReceiverLine = {
  name: string
  /** Whether the receiver is still configured. */
  isKnown: boolean
  state: ReceiverState | undefined
  length: QueueLength | undefined
}

const words = { on: '启用', gone: '已停用：应答 410', off: '已停用：连续失败五天' }

export function toReceiverLine({ name, isKnown, state, length }: ReceiverLine): string {
  const status = state?.status ?? 'on'
  const time = (ms: number | null | undefined) => (ms ? new Date(ms).toISOString() : undefined)
  const failingSince = time(state?.failingSince)
  const pausedUntil = status === 'on' ? time(state?.pausedUntil) : undefined
  const parts = [
    name,
    isKnown ? `${status} (${words[status]})` : 'not configured (未配置)',
    `waiting=${length?.waiting ?? 0}`,
    `failed=${length?.failed ?? 0}`,
    failingSince && `failing-since=${failingSince}`,
    pausedUntil && `paused-until=${pausedUntil}`,
    state && `last-failure=${failureText(state.lastFailure)} ${time(state.lastFailureAt)}`,
  ]
  return parts.filter((part) => part !== undefined).join('  ')
}
