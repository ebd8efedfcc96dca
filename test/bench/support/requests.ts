/** Creates valid requests as byte arrays. All requests differ. */
import { randomBytes } from 'node:crypto'
import type { Account } from '../../../demo/simulator/account.ts'
import { type MessageFields, sealMessage } from '../../../demo/simulator/message.ts'
import { sealEnvelope } from '../../../server/keys/envelope.ts'
import { sealToken } from '../../../server/keys/widget-token.ts'
import { SECRET_OF_BENCH } from './served.ts'

export type Recipe =
  | { what: 'scan' | 'text'; account: Account; from: number; count: number }
  | { what: 'overview'; cookie: string; from: number; count: number }
  /** The users are `<prefix>0`, `<prefix>1`, … in this order, or in random order with `isRandom`. */
  | { what: 'poll' | Call; from: number; count: number; users: number; prefix?: string; isRandom?: boolean }

/**
 * `ListBindings` requests a page of 100 bindings, `GetEvents` the events of one user, and `feed` the oldest 100 events
 * of the tenant.
 */
type Call = 'GetBindInfo' | 'ListBindings' | 'GetEvents' | 'feed'

export async function makeRequests(recipe: Recipe): Promise<Buffer[]> {
  const requests: Buffer[] = []
  for (let i = recipe.from; i < recipe.from + recipe.count; i++) {
    requests.push(await toRequestOf(recipe, i))
  }
  return requests
}

function toRequestOf(recipe: Recipe, i: number): Buffer | Promise<Buffer> {
  if ('account' in recipe) return toDelivery(recipe, i)
  return 'cookie' in recipe ? toOverview(recipe.cookie) : toQuestion(recipe, i)
}

/** The scene of scan number `i`. */
export const sceneOf = (i: number) => `wb1_${String(i).padStart(22, '0')}`

const openidOf = (i: number) => `oBench${String((i * 2_654_435_761) % 4_294_967_296).padStart(22, '0')}`

function toDelivery({ what, account }: Extract<Recipe, { account: Account }>, i: number): Buffer {
  const common = {
    ToUserName: account.originalId,
    FromUserName: openidOf(i),
    CreateTime: Math.floor(Date.now() / 1000),
  }
  const fields: MessageFields =
    what === 'scan'
      ? {
          ...common,
          MsgType: 'event',
          Event: 'SCAN',
          EventKey: sceneOf(i),
          Ticket: `gQH_8TwAAAAAAAAAAS5odHRwOi8vd2VpeGlu${i}`,
        }
      : {
          ...common,
          MsgType: 'text',
          Content: `请问什么时候发货？订单 ${i}`,
          MsgId: String(24_000_000_000_000_000n + BigInt(i)),
        }
  const { query, body } = sealMessage(account, fields, Date.now(), randomFor(i))
  return toRequest(`/wechat/callback?${new URLSearchParams(query)}`, 'text/xml', body)
}

/**
 * Creates unique nonces. Among so many requests, a random number of 32 bits would occur twice, and the server refuses a
 * repeated nonce with another body.
 */
const randomFor = (i: number) => (size: number) => {
  const bytes = randomBytes(size)
  if (size === 4) bytes.writeUInt32BE(i)
  return bytes
}

type Question = Extract<Recipe, { users: number }>

function toQuestion({ what, users, prefix = 'u', isRandom = false }: Question, i: number): Promise<Buffer> {
  const number = isRandom ? 1 + Math.floor(Math.random() * users) : i % users
  return what === 'poll' ? toPoll(`${prefix}${number}`) : toCall(what, `${prefix}${number}`, number)
}

/** The widget token of a user. */
export const newUserToken = (userId: string): Promise<string> =>
  sealToken({ account: 'acme', userId }, 'k1', Buffer.from(SECRET_OF_BENCH, 'base64url'), Date.now())

/** A poll that the server answers at once. */
async function toPoll(userId: string): Promise<Buffer> {
  const token = await newUserToken(userId)
  return Buffer.from(`GET /widget/binding HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`)
}

const toOverview = (cookie: string) =>
  Buffer.from(`GET /api/overview?range=30d HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`)

async function toCall(call: Call, user: string, number: number): Promise<Buffer> {
  const ofUser = { Account: 'acme', User_ID: user }
  const fields = {
    GetBindInfo: ofUser,
    // In the data of `big.ts`, 1,000 users are bound in each second.
    ListBindings: { BoundSince: 1_700_000_000 + Math.floor(number / 1000) },
    GetEvents: ofUser,
    feed: {},
  }[call]
  const plain = { ...fields, Date: Math.floor(Date.now() / 1000), Action: 'Get' }
  const jti = randomBytes(16).toString('base64url')
  const jwe = await sealEnvelope(plain, { kid: 'k1', jti }, Buffer.from(SECRET_OF_BENCH, 'base64url'))
  return toRequest(`/api/WeChat/${call === 'feed' ? 'GetEvents' : call}`, 'application/jose', jwe)
}

function toRequest(path: string, type: string, body: string): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}
