/** Explains why a receiver gets no notices now, and names the command that changes this. */
import type { Notice, ReceiverState } from '../store/outbox.ts'

export type Receivers = {
  /** The names of the configured receivers. */
  known: string[]
  states: ReceiverState[]
  /** Epoch ms. */
  now: number
}

/** `until` is in epoch ms. */
type Wait = { kind: 'unknown' } | { kind: 'off' } | { kind: 'paused'; until: number }

function waitOf(name: string, { known, states, now }: Receivers): Wait | undefined {
  if (!known.includes(name)) return { kind: 'unknown' }
  const { status = 'on', pausedUntil = null } = states.find((state) => state.name === name) ?? {}
  if (status !== 'on') return { kind: 'off' }
  return pausedUntil !== null && pausedUntil > now ? { kind: 'paused', until: pausedUntil } : undefined
}

/** The time of the next try in epoch ms, or undefined if there is none before an operator changes something. */
export function nextTryOf({ receiver, nextAt }: Notice, receivers: Receivers): number | undefined {
  const wait = receiver === null ? undefined : waitOf(receiver, receivers)
  if (wait === undefined) return nextAt
  return wait.kind === 'paused' ? Math.max(nextAt, wait.until) : undefined
}

/** Two lines, English and Chinese. None if the receiver gets its notices now. */
export function waitLines(name: string, receivers: Receivers): string[] {
  const wait = waitOf(name, receivers)
  switch (wait?.kind) {
    case undefined:
      return []
    case 'unknown':
      return [
        `${name} is not configured: its notices wait until a receiver has this name.`,
        `${name} 未配置：其通知会等待，直到有接收方使用此名称。`,
      ]
    case 'off':
      return [
        `${name} is off: its notices wait until you run "wechat-bind webhooks enable ${name}".`,
        `${name} 已停用：其通知会等待，直到运行“wechat-bind webhooks enable ${name}”。`,
      ]
    case 'paused': {
      const until = new Date(wait.until).toISOString()
      return [
        `${name} is paused until ${until}. "wechat-bind webhooks retry ${name}" ends the pause.`,
        `${name} 暂停至 ${until}。“wechat-bind webhooks retry ${name}”可结束暂停。`,
      ]
    }
  }
}
