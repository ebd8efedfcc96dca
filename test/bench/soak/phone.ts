/** Sends WeChat's callbacks. */
import { randomBytes } from 'node:crypto'
import { sealMessage } from '../../../demo/simulator/message.ts'
import { openReply } from '../../../demo/simulator/reply.ts'
import type { Soaked } from './server.ts'

export type Phone = ReturnType<typeof createPhone>

export function createPhone({ account, urls }: Soaked) {
  let sent = 0
  let messages = 24_000_000_000_000_000n

  /**
   * Sends the message `times` times, as WeChat does when it repeats a delivery. Throws if the server does not accept
   * the message. Returns the text of the reply.
   */
  async function send(openid: string, fields: Record<string, string>, times = 1): Promise<string | undefined> {
    const common = { ToUserName: account.originalId, FromUserName: openid, CreateTime: Math.floor(Date.now() / 1000) }
    let text: string | undefined
    for (let i = 0; i < times; i++) {
      const { query, body } = sealMessage(account, { ...common, MsgType: 'event', ...fields }, Date.now(), randomBytes)
      sent++
      const response = await fetch(`${urls.url}/wechat/callback?${new URLSearchParams(query)}`, {
        method: 'POST',
        body,
      })
      const reply = openReply(account, openid, { status: response.status, body: await response.text() })
      if (reply.kind === 'fault') throw new Error(`the callback was answered with a fault: ${reply.reason}`)
      text = reply.kind === 'text' ? reply.content : undefined
    }
    return text
  }

  return {
    sent: () => sent,
    scan: (openid: string, scene: string, times?: number) => send(openid, { Event: 'SCAN', EventKey: scene }, times),
    follow: (openid: string, scene: string) => send(openid, { Event: 'subscribe', EventKey: `qrscene_${scene}` }),
    unfollow: (openid: string) => send(openid, { Event: 'unsubscribe', EventKey: '' }),
    say: (openid: string, text: string) => send(openid, { MsgType: 'text', Content: text, MsgId: String(++messages) }),
    /** Sends a callback with a wrong signature. Returns the status of the answer. */
    async forge(): Promise<number> {
      const { query, body } = sealMessage(
        { ...account, token: 'wrong' },
        { ToUserName: account.originalId, FromUserName: 'oForged', CreateTime: 1, MsgType: 'event' },
        Date.now(),
        randomBytes,
      )
      const response = await fetch(`${urls.url}/wechat/callback?${new URLSearchParams(query)}`, {
        method: 'POST',
        body,
      })
      await response.text()
      return response.status
    },
  }
}
