/** Checks that no receivers share a secret, and tries the webhook receivers: whether they answer, or with `--webhooks` whether they accept a signed event `webhook.test`. */
import type { Config } from '../config/config.ts'
import type { WebhookReceiver } from '../config/webhook-receivers.ts'
import { adviceSentence } from '../outbound/webhook-advice.ts'
import { failureText } from '../outbound/webhook-request.ts'
import { sendTest } from '../outbound/webhook-test.ts'
import { type Finding, ok, warn, wrong } from './finding.ts'
import { describeFailure, type ProbeDeps, sendRequest } from './http-probe.ts'

export async function checkWebhooks({ webhooks }: Config, deps: ProbeDeps, sendsTests: boolean): Promise<Finding[]> {
  const { all } = webhooks
  const answers = await Promise.all(all.map((receiver) => (sendsTests ? test(receiver, deps) : reach(receiver, deps))))
  return [...answers, ...findSharedSecrets(all)]
}

/** Standard Webhooks: a secret belongs to one receiver. */
function findSharedSecrets(receivers: WebhookReceiver[]): Finding[] {
  const secrets = [...new Set(receivers.flatMap((receiver) => receiver.secrets))]
  const owners = secrets.map((secret) => receivers.filter((receiver) => receiver.secrets.includes(secret)))
  const shared = owners.filter((group) => group.length > 1)
  return shared.map((group) => {
    const names = group.map(({ name }) => name).join(', ')
    return warn('webhook.shared-secret', {
      en: `One secret is set for ${names}: each receiver that knows it can forge events for the others.`,
      zh: `${names} 使用同一个密钥：知道它的接收方可以伪造发给其他接收方的事件。`,
      fix: {
        en: 'Give each receiver its own secret: "npx wechat-bind keygen --webhook" prints one.',
        zh: '请为每个接收方设置各自的密钥，可用“npx wechat-bind keygen --webhook”生成。',
      },
    })
  })
}

async function test(receiver: WebhookReceiver, deps: ProbeDeps): Promise<Finding> {
  const answer = await sendTest(deps, receiver)
  const { name } = receiver
  if (answer.accepted) {
    return ok('webhook.accepted', {
      en: `${name} accepted a signed webhook.test (HTTP ${answer.status}).`,
      zh: `${name} 接受了签名的 webhook.test（HTTP ${answer.status}）。`,
    })
  }
  const what = failureText(answer.failure)
  return wrong('webhook.refused', {
    en: `${name} did not accept a signed webhook.test (${what}).`,
    zh: `${name} 没有接受签名的 webhook.test（${what}）。`,
    fix: adviceSentence(answer.failure),
  })
}

/**
 * Tries a receiver with HEAD. A receiver takes only POST, so any answer shows that a program listens at the URL, except the
 * answer of a proxy whose receiver is down.
 */
async function reach({ name, url }: WebhookReceiver, deps: ProbeDeps): Promise<Finding> {
  const result = await sendRequest(deps, url, { method: 'HEAD' })
  if (result.kind === 'answered' && result.status < 500) {
    return ok('webhook.reachable', {
      en: `${name} can be reached. "wechat-bind doctor --webhooks" sends it a signed webhook.test.`,
      zh: `${name} 可以连接。“wechat-bind doctor --webhooks”会向它发送签名的 webhook.test。`,
    })
  }
  const { en, zh } =
    result.kind === 'answered'
      ? { en: `answered HTTP ${result.status}`, zh: `返回 HTTP ${result.status}` }
      : describeFailure(result)
  return warn('webhook.unreachable', {
    en: `${name} ${en}.`,
    zh: `${name} ${zh}。`,
    fix: {
      en: 'Check that the receiver runs, that its URL is right, and that this server may connect to it. Events wait for three days.',
      zh: '请确认接收方正在运行、地址正确，且本服务器可以连接。事件会等待三天。',
    },
  })
}
