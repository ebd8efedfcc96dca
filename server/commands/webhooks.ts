/** `wechat-bind webhooks`: what the tenants have not taken, and telling them again. NODE. */
import { parseArgs } from 'node:util'
import { type Env, parseConfig } from '../config/config.ts'
import { BindError } from '../errors.ts'
import { openStore } from '../store/open-store.ts'
import type { Notice, Outbox } from '../store/outbox.ts'

const usage = `wechat-bind webhooks [list|failed|replay [id]]

  list          what waits to be delivered, the oldest first      等待投递的通知，旧的在前
  failed        what was given up after a day                      一天后放弃的通知
  replay [id]   tells again what was given up: all, or this one    重新投递已放弃的通知：全部，或指定一条`

// Enough for a screen; a longer list is read by its count.
const SHOWN = 100

/** Runs beside a server on the same store; prints what it did. */
export async function runWebhooks(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { positionals } = parseArgs({ args, allowPositionals: true })
  const [action = 'list', id] = positionals
  const config = parseConfig(env)
  const store = await openStore(config.databaseUrl, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  try {
    for (const line of await act(store.outbox, action, id)) print(line)
  } finally {
    await store.close()
  }
}

async function act(outbox: Outbox, action: string, id: string | undefined): Promise<string[]> {
  switch (action) {
    case 'list':
      return show(await outbox.list('waiting', SHOWN))
    case 'failed':
      return show(await outbox.list('failed', SHOWN))
    case 'replay':
      return [`${await outbox.replay(Date.now(), toId(id))} will be delivered again. 条将重新投递。`]
    default:
      throw new BindError('BAD_REQUEST', usage)
  }
}

function toId(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BindError(
    'BAD_REQUEST',
    'replay takes the number of one notice, or nothing for all. 请给出一条通知的编号，或留空表示全部。',
  )
}

/** Never an openid: the payload is made at the time of sending. */
const show = (notices: Notice[]): string[] => (notices.length === 0 ? ['Nothing. 没有。'] : notices.map(toLine))

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
