/** Sends callbacks as WeChat does: a constant rate, and each callback again after a failure or 5 s without an answer. */
import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from '../../../demo/simulator/account.ts'
import { type MessageFields, sealMessage } from '../../../demo/simulator/message.ts'
import { openReply } from '../../../demo/simulator/reply.ts'

export type Callback = { user: string; openid: string; event: 'SCAN' | 'unsubscribe' }

/** `reply` is the text in the chat. Undefined: WeChat got no answer with status 200 and has given up. */
export type Outcome = Callback & { firstAt: number; reply: string | undefined; answeredAt: number; tries: Try[] }

/** `status` is 0 when there was no answer. */
type Try = { at: number; status: number; ms: number }

export type Callbacks = { next(): Callback; ended(outcome: Outcome): void }

const TICK_MS = 10
const PATIENCE_MS = 5_000
const RETRIES = 3

export function createWechat(account: Account, urls: string[]) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  let sent = 0

  /** Each retry goes to the next instance, as a load balancer would send it. */
  async function deliver(callback: Callback, first = sent++): Promise<Outcome> {
    const { user, openid, event } = callback
    // The `CreateTime` of an unfollow is later than that of the scan before it.
    const CreateTime = Math.floor(Date.now() / 1000) + (event === 'unsubscribe' ? 1 : 0)
    const fields: MessageFields = {
      ToUserName: account.originalId,
      FromUserName: openid,
      CreateTime,
      MsgType: 'event',
      Event: event,
      EventKey: event === 'SCAN' ? `wb1_${user}` : '',
    }
    const tries: Try[] = []
    for (;;) {
      const at = performance.now()
      const { status, body } = await post(urls[(first + tries.length) % urls.length]!, fields)
      const answeredAt = performance.now()
      tries.push({ at, status, ms: answeredAt - at })
      const outcome = { ...callback, firstAt: tries[0]!.at, answeredAt, tries }
      if (status === 200) {
        const reply = openReply(account, openid, { status, body })
        return { ...outcome, reply: reply.kind === 'text' ? reply.content : reply.kind }
      }
      if (tries.length > RETRIES) return { ...outcome, reply: undefined }
      await delay(Math.max(0, at + PATIENCE_MS - answeredAt))
    }
  }

  function post(url: string, fields: MessageFields): Promise<{ status: number; body: string }> {
    const { query, body } = sealMessage(account, fields, Date.now(), randomBytes)
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const path = `${url}/wechat/callback?${new URLSearchParams(query)}`
      request(path, { method: 'POST', agent, signal }, (response) => {
        let text = ''
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => {
            text += chunk
          })
          .on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
          .on('error', () => resolve({ status: 0, body: '' }))
      })
        .on('error', () => resolve({ status: 0, body: '' }))
        .end(body)
    })
  }

  return {
    deliver,
    /** Delivers the callbacks at a constant rate until the signal aborts. Resolves when each is answered or given up. */
    async run(perSecond: number, { next, ended }: Callbacks, signal: AbortSignal): Promise<Outcome[]> {
      const outcomes: Promise<Outcome>[] = []
      const startedAt = performance.now()
      for (; !signal.aborted; await delay(TICK_MS)) {
        const due = ((performance.now() - startedAt) / 1000) * perSecond
        while (outcomes.length < due) {
          const outcome = deliver(next())
          void outcome.then(ended)
          outcomes.push(outcome)
        }
      }
      return Promise.all(outcomes)
    },
    end: () => agent.destroy(),
  }
}
