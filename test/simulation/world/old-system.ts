/** The system at `FORWARD_URL`, which received WeChat's callbacks before the bind server was added. */
import type { Fetch } from '../../../server/platform.ts'

export const FORWARD_URL = 'http://old.test/wechat'

/** The reply of the system at `FORWARD_URL` in the chat. */
export const OLD_REPLY = 'the reply of the old system'

export const oldMoods = ['replies', 'fails', 'unreachable', 'hangs'] as const
export type OldMood = (typeof oldMoods)[number]

export type OldSystem = ReturnType<typeof createOldSystem>

export function createOldSystem() {
  let mood: OldMood = 'replies'
  /** The deliveries of WeChat. The keys are their bytes. */
  const sent = new Map<string, { key: string; search: string }>()
  let received: string[] = []

  const fetch: Fetch = async (input, init) => {
    const body = Buffer.from(init?.body as Uint8Array).toString()
    const delivery = sent.get(body)
    if (!delivery) throw new Error('the server has forwarded a delivery with another body')
    if (input !== `${FORWARD_URL}${delivery.search}`)
      throw new Error('the server has forwarded a delivery with another query')
    received.push(delivery.key)
    if (mood === 'replies') return new Response(OLD_REPLY, { headers: { 'Content-Type': 'text/xml' } })
    if (mood === 'fails') return new Response('no', { status: 503 })
    if (mood === 'unreachable') throw Object.assign(new TypeError('fetch failed'), { code: 'ECONNREFUSED' })
    return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  }

  return {
    fetch,
    mood: () => mood,
    setMood(next: OldMood): void {
      mood = next
    },
    noteSent(key: string, search: string, body: Uint8Array): void {
      sent.set(Buffer.from(body).toString(), { key, search })
    },
    /** The keys of the messages that the server has forwarded in this step. */
    takeReceived(): string[] {
      const taken = received
      received = []
      return taken.sort()
    },
  }
}
