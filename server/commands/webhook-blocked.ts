/** Why notices still wait after `retry` or `replay`: a line for each receiver that gets no notice now, with the command that changes it. */
import type { QueueLength, ReceiverState } from '../store/outbox.ts'

type Receivers = {
  /** The names of the receivers that the command selects. */
  selected: string[]
  /** The names of the configured receivers. */
  known: string[]
  states: ReceiverState[]
  lengths: QueueLength[]
  /** Epoch ms. */
  now: number
}

export function blockedLines({ selected, known, states, lengths, now }: Receivers): string[] {
  const waiting = lengths.filter(({ receiver, waiting }) => waiting > 0 && selected.includes(receiver))
  return waiting.flatMap(({ receiver: name }) => {
    if (!known.includes(name)) {
      return [
        `${name} is not configured: its notices wait until a receiver has this name.`,
        `${name} 未配置：其通知会等待，直到有接收方使用此名称。`,
      ]
    }
    const { status = 'on', pausedUntil = null } = states.find((state) => state.name === name) ?? {}
    if (status !== 'on') {
      return [
        `${name} is off: its notices wait until you run "wechat-bind webhooks enable ${name}".`,
        `${name} 已停用：其通知会等待，直到运行“wechat-bind webhooks enable ${name}”。`,
      ]
    }
    if (pausedUntil === null || pausedUntil <= now) return []
    const until = new Date(pausedUntil).toISOString()
    return [
      `${name} is paused until ${until}. "wechat-bind webhooks retry ${name}" ends the pause.`,
      `${name} 暂停至 ${until}。“wechat-bind webhooks retry ${name}”可结束暂停。`,
    ]
  })
}
