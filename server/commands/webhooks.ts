/** `wechat-bind webhooks`: lists receivers and notices, sends notices again, enables and tests receivers. Node only. */
import { type Env, readWebhookSettings } from '../config/config.ts'
import { USER_AGENT } from '../config/version.ts'
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import { BindError, counted } from '../errors.ts'
import { createOutgoingFetch, withUserAgent } from '../http/outgoing-fetch.ts'
import { nextTryOf, type Receivers } from '../outbound/receiver-waits.ts'
import { adviceFor } from '../outbound/webhook-advice.ts'
import { failureText } from '../outbound/webhook-request.ts'
import { sendTest } from '../outbound/webhook-test.ts'
import { systemTimer } from '../platform.ts'
import { openStore } from '../store/open-store.ts'
import type { Notice, NoticeFilter, Outbox } from '../store/outbox.ts'
import { readArguments } from './arguments.ts'
import { toReceiverLine } from './webhook-receiver-line.ts'
import { waitLines } from './webhook-waits.ts'

const usage = `wechat-bind webhooks [list|failed|retry|replay|enable|test] [NAME|ID]

  list                the receivers, then the notices that wait, oldest first   接收方；等待投递的通知，最早的在前
  failed              notices that were given up after three days, and why      投递三天后放弃的通知及原因
  retry [NAME|ID]     try waiting notices now: all, of a receiver, or one       立即重试等待中的通知：全部、某接收方或一条
  replay [NAME|ID]    send failed notices again: all, of a receiver, or one     重新投递已放弃的通知：全部、某接收方或一条
  enable NAME         switch on a receiver that was switched off                启用已停用的接收方
  test NAME           send an event webhook.test to a receiver now              立即向接收方发送 webhook.test 事件`

// About this many lines fill a few screens of a terminal.
const MAX_SHOWN = 100

type Context = { outbox: Outbox; receivers: WebhookReceiver[]; target: string | undefined }

const actions: Record<string, (context: Context) => Promise<string[]>> = {
  list: showAll,
  failed: async (context) => show(await context.outbox.list('failed', MAX_SHOWN + 1), () => undefined),
  retry: async (context) => {
    const filter = toFilter(context)
    const count = await context.outbox.retry(Date.now(), filter)
    return [
      `${counted(count, 'notice')} will be tried now.`,
      `${count} 条通知将立即重试。`,
      ...(await showWaits(context, filter)),
    ]
  },
  replay: async (context) => {
    const filter = toFilter(context)
    const count = await context.outbox.replay(Date.now(), filter)
    return [
      `${counted(count, 'notice')} will be delivered again.`,
      `${count} 条通知将重新投递。`,
      ...(await showWaits(context, filter)),
    ]
  },
  enable: async ({ outbox, ...given }) => {
    const { name } = toReceiver(given)
    return (await outbox.enable(name, Date.now()))
      ? [`${name} is on. Its waiting notices are sent now.`, `${name} 已启用，等待中的通知将立即投递。`]
      : [`${name} was on already.`, `${name} 本已启用。`]
  },
  test: (given) => test(toReceiver(given)),
}

/** The command may run while servers use the same store. */
export async function runWebhooks(args: string[], env: Env, print: (line: string) => void): Promise<void> {
  const { positionals } = readArguments(args, { usage, positionals: 2 })
  const [name = 'list', target] = positionals
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  const takesTarget = !['list', 'failed'].includes(name)
  if (!action || (target !== undefined && !takesTarget)) throw new BindError('BAD_REQUEST', usage)
  const { databaseUrl, webhooks } = readWebhookSettings(env)
  const store = await openStore(databaseUrl, { hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  try {
    for (const line of await action({ outbox: store.outbox, receivers: webhooks.all, target })) print(line)
  } finally {
    await store.close()
  }
}

const readReceivers = async ({ outbox, receivers }: Context): Promise<Receivers> => ({
  known: receivers.map(({ name }) => name),
  states: await outbox.receivers(),
  now: Date.now(),
})

async function showAll(context: Context): Promise<string[]> {
  const { outbox } = context
  const [receivers, lengths, waiting] = await Promise.all([
    readReceivers(context),
    outbox.lengths(),
    outbox.list('waiting', MAX_SHOWN + 1),
  ])
  const { known, states } = receivers
  const names = [...new Set([...known, ...lengths.map(({ receiver }) => receiver)])]
  const lines = names.map((name) =>
    toReceiverLine({
      name,
      isKnown: known.includes(name),
      state: states.find((state) => state.name === name),
      length: lengths.find(({ receiver }) => receiver === name),
    }),
  )
  return [...lines, ...show(waiting, (notice) => nextTryOf(notice, receivers))]
}

/** The receivers whose notices still wait after the command. */
async function showWaits(context: Context, { receiver }: NoticeFilter): Promise<string[]> {
  const receivers = await readReceivers(context)
  const lengths = await context.outbox.lengths()
  const waiting = lengths.filter(({ waiting }) => waiting > 0).map((length) => length.receiver)
  return waiting
    .filter((name) => receiver === undefined || name === receiver)
    .flatMap((name) => waitLines(name, receivers))
}

function toFilter({ receivers, target }: Omit<Context, 'outbox'>): NoticeFilter {
  if (target === undefined) return {}
  return /^\d{1,15}$/.test(target) ? { id: Number(target) } : { receiver: toReceiver({ receivers, target }).name }
}

/** Without a name, returns the only receiver. */
function toReceiver({ receivers, target }: Omit<Context, 'outbox'>): WebhookReceiver {
  const [only, ...others] = receivers
  const found = receivers.find(({ name }) => name === target)
  if (found) return found
  if (target === undefined && only && others.length === 0) return only
  const names = receivers.map(({ name }) => name).join(', ')
  throw new BindError(
    'BAD_REQUEST',
    names === ''
      ? 'No webhook receiver is configured: set WEBHOOK_URL, or WEBHOOKS_FILE. 未配置接收方：请设置 WEBHOOK_URL 或 WEBHOOKS_FILE。'
      : `Name one of the receivers: ${names}. 请指定一个接收方：${names}。`,
  )
}

async function test(receiver: WebhookReceiver): Promise<string[]> {
  const startedAt = performance.now()
  const answer = await sendTest(
    { fetch: withUserAgent(createOutgoingFetch(), USER_AGENT), clock: Date.now, setTimer: systemTimer },
    receiver,
  )
  const ms = Math.round(performance.now() - startedAt)
  if (answer.accepted) {
    return [
      `${receiver.name} answered ${answer.status} in ${ms} ms.`,
      `${receiver.name} 在 ${ms} 毫秒内应答 ${answer.status}。`,
    ]
  }
  const { en, zh } = adviceFor(answer.failure)
  const what = failureText(answer.failure)
  throw new BindError(
    'UNREACHABLE',
    `${receiver.name} did not accept the test (${what}): ${en}.\n${receiver.name} 未接受测试（${what}）：${zh}。`,
  )
}

/** The output has no openid, because a notice is stored without an openid. The openid is read when the notice is sent. */
function show(notices: Notice[], nextTry: (notice: Notice) => number | undefined): string[] {
  if (notices.length === 0) return ['No notices. 没有通知。']
  const lines = notices.slice(0, MAX_SHOWN).map((notice) => toLine(notice, nextTry(notice)))
  const more = `Only the first ${MAX_SHOWN} notices are shown. 只显示前 ${MAX_SHOWN} 条通知。`
  return notices.length > MAX_SHOWN ? [...lines, more] : lines
}

const toLine = (notice: Notice, nextTry: number | undefined) =>
  [
    notice.id,
    new Date(notice.at).toISOString(),
    notice.receiver ?? '-',
    notice.identity.tenant,
    notice.identity.account,
    notice.identity.userId,
    notice.type,
    notice.reason,
    `version=${notice.version}`,
    `tries=${notice.attempts}`,
    `next=${nextTry === undefined ? '-' : new Date(nextTry).toISOString()}`,
    ...(notice.failure ? [`last=${failureText(notice.failure)}`] : []),
  ].join('  ')
