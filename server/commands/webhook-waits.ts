/** Explains why a receiver gets no notices now, and names the command that changes this. */
import { type Receivers, waitOf } from '../outbound/receiver-waits.ts'

/** Returns two lines, in English and Chinese, or none if the receiver gets its notices now. */
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
