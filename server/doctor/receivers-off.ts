/** Checks that no configured webhook receiver is switched off. */
import type { Config } from '../config/config.ts'
import type { ReceiverStatus } from '../store/outbox.ts'
import { type Finding, wrong } from './finding.ts'

export type ReceiverOff = { name: string; status: Exclude<ReceiverStatus, 'on'> }

/** The receivers that are switched off. Changes nothing in the store. */
export type FindReceiversOff = (databaseUrl: string) => Promise<ReceiverOff[]>

/** Empty if all receivers are on. */
export async function checkReceiversOff(
  { databaseUrl, webhooks }: Config,
  findReceiversOff: FindReceiversOff,
): Promise<Finding[]> {
  const names = webhooks.all.map(({ name }) => name)
  // The check of the store reports the failure.
  const off = await findReceiversOff(databaseUrl).catch(() => [])
  return off.filter(({ name }) => names.includes(name)).map(toReceiverOff)
}

const reasons = {
  gone: { en: 'because it answered 410', zh: '因为它应答了 410' },
  off: { en: 'because it failed for five days', zh: '因为它连续失败了五天' },
}

export const toReceiverOff = ({ name, status }: ReceiverOff): Finding =>
  wrong('webhooks.off', {
    en: `The webhook receiver ${name} is switched off, ${reasons[status].en}. Its events wait, and are deleted after 90 days.`,
    zh: `webhook 接收方 ${name} 已停用，${reasons[status].zh}。其事件在等待，90 天后删除。`,
    fix: {
      en: `Repair the receiver, then run "wechat-bind webhooks enable ${name}".`,
      zh: `请修复接收方，然后运行“wechat-bind webhooks enable ${name}”。`,
    },
  })
