/** Reads the webhook receivers of `WEBHOOKS_FILE`, and reads them again after each change of the file. Node only. */
import { z } from 'zod'
import type { Bilingual } from '../errors.ts'
import type { Log } from '../platform.ts'
import { readText, watchFile } from '../watched-file.ts'
import { eventTypes, isSecret, SECRETS_RULE, type WebhookReceiver } from './webhook-receivers.ts'

const isHttpUrl = (text: string) => /^https?:$/.test(URL.parse(text)?.protocol ?? '')

const fileSchema = z.array(
  z.strictObject({
    name: z.string().regex(/^(?!WEBHOOK_URL)[A-Za-z][\w.-]{0,63}$/),
    tenant: z
      .string()
      .regex(/^[^:\s]{1,64}$/)
      .optional(),
    url: z.string().refine(isHttpUrl),
    secrets: z.array(z.string().refine(isSecret)).min(1).max(5),
    types: z.array(z.enum(eventTypes)).min(1).optional(),
  }),
)

const rules: Record<string, Bilingual> = {
  name: {
    en: 'must begin with a letter, have at most 64 letters, digits, ".", "_" or "-", and not begin with WEBHOOK_URL',
    zh: '须以字母开头，最多 64 位字母、数字或“.”“_”“-”，且不以 WEBHOOK_URL 开头',
  },
  tenant: {
    en: 'must be the name of a tenant; without this field the receiver gets the events of all tenants',
    zh: '须为租户名；所有租户共用时不设置',
  },
  url: {
    en: 'must be a URL that begins with http:// or https://',
    zh: '须为以 http:// 或 https:// 开头的网址',
  },
  secrets: { en: `must be 1 to 5 secrets; each ${SECRETS_RULE.en}`, zh: `须为 1 至 5 个密钥；每个${SECRETS_RULE.zh}` },
  types: {
    en: `must list one or more of ${eventTypes.join(', ')}; without this field the receiver gets all types`,
    zh: `须为 ${eventTypes.join('、')} 中的若干项；需要全部类型时不设置`,
  },
}

const shapeRule: Bilingual = {
  en: 'must be a JSON array of objects with name, url, secrets, and optionally tenant and types',
  zh: '须为 JSON 数组，其元素为含 name、url、secrets（及可选的 tenant、types）的对象',
}

/** Throws a TypeError `English | 中文` that names the entry and the field, without any value of the file. */
export function parseWebhooksFile(text: string): WebhookReceiver[] {
  const { success, data, error } = fileSchema.safeParse(parseJson(text))
  if (!success) {
    const [index, field] = error.issues[0]?.path ?? []
    const rule = rules[String(field)] ?? shapeRule
    const where = [...(index === undefined ? [] : [`[${String(index)}]`]), ...(rules[String(field)] ? [field] : [])]
    throw fault(where.join('.'), rule)
  }
  const twice = data.find(({ name }, i) => data.findIndex((other) => other.name === name) !== i)
  if (twice) {
    throw fault('', {
      en: `has the name "${twice.name}" twice: each receiver needs its own name`,
      zh: `名称“${twice.name}”重复：每个接收方须使用不同的名称`,
    })
  }
  return data
}

const fault = (where: string, { en, zh }: Bilingual) => new TypeError(`${where} ${en} | ${where} ${zh}`.trim())

/** The message of `JSON.parse` is not used, because it quotes the text, which contains secrets. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const line = /\(line (\d+)/.exec((error as Error).message)?.[1]
    throw fault('', {
      en: `is not valid JSON${line === undefined ? '' : ` (line ${line})`}`,
      zh: `不是有效的 JSON${line === undefined ? '' : `（第 ${line} 行）`}`,
    })
  }
}

/** Throws a TypeError `English | 中文` if the file cannot be read or has a fault. */
export const readWebhooksFile = (path: string): WebhookReceiver[] => parseWebhooksFile(readText(path))

/** Calls `onReceivers` after each change. An invalid file causes a log line, and the present receivers stay. */
export function watchWebhooksFile(path: string, onReceivers: (receivers: WebhookReceiver[]) => void, log: Log) {
  return watchFile(path, () => {
    try {
      const receivers = readWebhooksFile(path)
      onReceivers(receivers)
      log.info({ receivers: receivers.length }, 'WEBHOOKS_FILE was read again')
    } catch (error) {
      const [en] = (error as Error).message.split(' | ')
      log.warn({ code: 'BAD_CONFIG' }, `WEBHOOKS_FILE: ${en}. The previous receivers stay in use`)
    }
  })
}
