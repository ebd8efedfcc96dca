/** The paths of the encrypted API. */
import type { Bilingual, ErrorCode } from '../../errors.ts'
import { requestSchemas } from '../request-schemas.ts'
import { integer, type Json, listOf, object, orNull, ref, text, toSchema, unixSeconds } from './json-schema.ts'
import { inBoth, problem, refusals, sealed } from './operation.ts'

const bindInfo: Json = {
  IsBound: { type: 'boolean' },
  OpenId: orNull(text),
  UnionId: orNull(text),
  AppId: text,
  IsSubscribed: { type: 'boolean' },
  BoundAt: orNull(unixSeconds),
  Version: integer,
}

const bindInfoOf = (more: Json) => object({ Account: text, User_ID: text, ...bindInfo, ...more })

type CallName = keyof typeof requestSchemas

/** `codes`: the codes that only some calls return. `data`: the member `Data` of a successful reply. */
type Call = { summary: Bilingual; codes: ErrorCode[]; data: Json }

const calls: Record<CallName, Call> = {
  GetQrCode: {
    summary: {
      en: 'Returns the valid QR code of a user, or a new QR code from WeChat',
      zh: '返回用户仍有效的二维码；没有时向微信申请新的二维码',
    },
    codes: ['RATE_LIMITED', 'WECHAT_FORBIDDEN', 'WECHAT_QUOTA', 'WECHAT_UNAVAILABLE'],
    data: object({
      Ticket: { ...text, description: "WeChat's ticket of the QR code" },
      Url: { ...text, description: 'The text that the QR code encodes' },
      ImageUrl: { ...text, description: "URL of WeChat's picture of the QR code" },
      ExpiresAt: unixSeconds,
      ExpireSeconds: { ...integer, description: 'Seconds left' },
    }),
  },
  GetBindInfo: {
    summary: { en: 'Returns the WeChat account that is bound to a user', zh: '查询用户绑定的微信账号' },
    codes: [],
    data: object(bindInfo),
  },
  Disconnect: {
    summary: { en: 'Removes the binding of a user', zh: '解除用户的绑定' },
    codes: ['NOT_BOUND'],
    data: object({ Version: integer }),
  },
  GetBindInfos: {
    summary: { en: 'Returns the bindings of up to 100 users', zh: '查询至多 100 个用户的绑定' },
    codes: [],
    data: object({ Items: listOf(bindInfoOf({})) }),
  },
  ListBindings: {
    summary: { en: 'Lists the bindings of the tenant, a page at a time', zh: '分页列出租户的全部绑定' },
    codes: [],
    data: object({
      Items: listOf(bindInfoOf({ Label: orNull(text) })),
      NextCursor: { ...orNull(text), description: 'Null on the last page' },
    }),
  },
  GetEvents: {
    summary: {
      en: 'Returns the events after a cursor, and waits for the next one',
      zh: '返回游标之后的事件，可等待下一个事件',
    },
    codes: ['EVENTS_GONE', 'OVERLOADED'],
    data: object({
      Items: listOf({
        allOf: [ref('Event'), object({ Id: { ...text, description: 'The webhook-id of the webhook for this event' } })],
      }),
      Cursor: { ...text, description: 'The value for After in the next request; set even if Items is empty' },
      HasMore: { type: 'boolean' },
    }),
  },
  EraseUser: {
    summary: { en: 'Erases all stored data of a user', zh: '抹除用户的全部数据' },
    codes: [],
    data: object({ Erased: { const: true } }),
  },
  ExportUser: {
    summary: { en: 'Returns all stored data of a user', zh: '导出用户的全部数据' },
    codes: [],
    data: object(
      {
        Tenant: text,
        Account: text,
        User_ID: text,
        Version: integer,
        Binding: { type: ['object', 'null'] },
        History: listOf({ type: 'object' }),
        Tickets: listOf({ type: 'object' }),
        Authorizations: listOf({ type: 'object' }),
        Notices: listOf({ type: 'object' }),
        OperatorActions: listOf({ type: 'object' }),
      },
      ['OperatorActions'],
    ),
  },
}

/** The codes that every call of the encrypted API can return. */
const commonCodes: ErrorCode[] = ['BAD_REQUEST', 'TEST_USER', 'STALE_DATE', 'REPLAYED', 'STORE_UNAVAILABLE']

const refusedResult = (codes: ErrorCode[]): Json =>
  sealed(object({ Success: { const: false }, Code: { enum: codes }, Message: text, Data: { type: 'null' } }))

function pathOf(name: CallName): Json {
  const { summary, codes, data } = calls[name]
  return {
    post: {
      operationId: name,
      ...inBoth(summary),
      tags: ['Encrypted API'],
      requestBody: { required: true, content: sealed(toSchema(requestSchemas[name])) },
      responses: {
        200: {
          description: 'OK',
          content: sealed(object({ Success: { const: true }, Code: { const: 'OK' }, Message: text, Data: data })),
        },
        ...refusals([...commonCodes, ...codes], refusedResult),
        ...refusals(['UNAUTHORIZED', 'TOO_LARGE'], problem),
      },
    },
  }
}

export const encryptedPaths: Json = Object.fromEntries(
  (Object.keys(calls) as CallName[]).map((name) => [`/api/WeChat/${name}`, pathOf(name)]),
)
