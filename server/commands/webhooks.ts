/** `wechat-bind webhooks`: lists undelivered notices, or delivers failed notices again. Node only. */
import { parseArgs } from 'node:util'
import { type Env, parseConfig } from '../config/config.ts'
import { BindError } from '../errors.ts'
import { openStore } from '../store/open-store.ts'
import type { Notice, Outbox } from '../store/outbox.ts'

const usage = `wechat-bind webhooks [list|failed|replay [id]]

  list          notices waiting for delivery, oldest first         等待投递的通知，最早的在前
  failed        notices that could not be delivered for a day      投递失败满一天后放弃的通知
  replay [id]   deliver failed notices again: all, or this one     重新投递已放弃的通知：全部，或指定一条`

// This many lines fill a few screens of a terminal.
const MAX_SHOWN = 100

/** The command may run while servers use the same store. */
export async function runWebhooks(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const [action = 'list', id] = positionals
  const config = parseConfig(env)
  const store = await openStore(config.databaseUrl, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  try {
    for (const line of await runAction(store.outbox, action, id)) print(line)
  } finally {
    await store.close()
  }
}

async function runAction(outbox: Outbox, action: string, id: string | undefined): Promise<string[]> {
  switch (action) {
    case 'list':
      return show(await outbox.list('waiting', MAX_SHOWN))
    case 'failed':
      return show(await outbox.list('failed', MAX_SHOWN))
    case 'replay':
      return replayed(await outbox.replay(Date.now(), toId(id)))
    default:
      throw new BindError('BAD_REQUEST', usage)
  }
}

const replayed = (count: number) => [`${count} notice(s) will be delivered again.`, `${count} 条通知将重新投递。`]

function toId(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BindError(
    'BAD_REQUEST',
    'replay expects the number of one notice (printed by "list" and "failed"), or no argument to deliver all notices again. replay 需要一条通知的编号（见 list 与 failed 的输出）；不指定则重新投递全部通知。',
  )
}

/** The output has no openid: notices are stored without an openid, because the payload is made when a notice is sent. */
const show = (notices: Notice[]): string[] => (notices.length === 0 ? ['No notices. 没有通知。'] : notices.map(toLine))

const toLine = ({ id, identity: { tenant, account, userId }, type, reason, version, at, attempts }: Notice) =>
  [
    id,
    new Date(at).toISOString(),
    tenant,
    account,
    userId,
    type,
    reason,
    `version=${version}`,
    `tries=${attempts}`,
  ].join('  ')
