/** The receiver of the webhook. */

import { Webhook } from 'standardwebhooks'
import type { Fetch } from '../../../server/platform.ts'

export const WEBHOOK_URL = 'http://receiver.test/hook'
export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

export const moods = ['accepts', 'fails', 'busy', 'hangs', 'unreachable'] as const
export type Mood = (typeof moods)[number]

export type Delivered = {
  id: string
  type: string
  key: string
  version: number
  reason: string
  openid: string | null | undefined
  accepted: boolean
}

type Payload = {
  type: string
  data: { Tenant: string; Account: string; User_ID: string; Version: number; Reason: string; OpenId?: string | null }
}

export type Receiver = ReturnType<typeof createReceiver>

export function createReceiver(clock: () => number) {
  let mood: Mood = 'accepts'
  let delivered: Delivered[] = []
  let isNew = false
  const signer = new Webhook(WEBHOOK_SECRET)

  const fetch: Fetch = (_, init) => {
    if (mood === 'unreachable') return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
    const headers = init?.headers as Record<string, string>
    const body = init?.body as string
    const id = headers['webhook-id']!
    const at = Number(headers['webhook-timestamp'])
    const expected = signer.sign(id, new Date(at * 1000), body)
    if (headers['webhook-signature'] !== expected) throw new Error('the signature of a webhook is wrong')
    if (Math.abs(at * 1000 - clock()) > 1000) throw new Error('the timestamp of a webhook is not the present time')
    const { type, data } = JSON.parse(body) as Payload
    isNew = true
    delivered.push({
      id,
      type,
      key: `${data.Tenant}/${data.Account}/${data.User_ID}`,
      version: data.Version,
      reason: data.Reason,
      openid: data.OpenId,
      accepted: mood === 'accepts',
    })
    if (mood === 'accepts') return Promise.resolve(new Response(null, { status: 204 }))
    if (mood === 'fails') return Promise.resolve(new Response(null, { status: 500 }))
    if (mood === 'busy') return Promise.resolve(new Response(null, { status: 429, headers: { 'Retry-After': '20' } }))
    return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  }

  return {
    fetch,
    hasNew: () => isNew,
    noteSeen(): void {
      isNew = false
    },
    mood: () => mood,
    setMood(next: Mood): void {
      mood = next
    },
    takeDelivered(): Delivered[] {
      const taken = delivered
      delivered = []
      return taken
    },
  }
}
