/** The OpenAPI 3.1 description, generated from the schemas that validate the requests. */
import { z } from 'zod'
import { type Bilingual, type ErrorCode, errorCodes } from '../errors.ts'
import { confirmSchema, qrcodeSchema, requestSchemas, tokenSchema } from './request-schemas.ts'

type Json = Record<string, unknown>

/** A JWE is a string; `contentSchema` (JSON Schema 2020-12) describes its plaintext. */
const sealed = (contentSchema: Json): Json => ({
  'application/jose': {
    schema: { type: 'string', contentMediaType: 'application/json', contentSchema },
  },
})

const json = (schema: Json): Json => ({ 'application/json': { schema } })

const toSchema = (schema: z.ZodType): Json => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' })
  return rest
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

const object = (properties: Json, optional: string[] = []): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

const text: Json = { type: 'string' }
const integer: Json = { type: 'integer' }
const unixSeconds: Json = { type: 'integer', description: 'Unix seconds' }
const orNull = ({ type, ...rest }: Json): Json => ({ ...rest, type: [type, 'null'] })

const bindInfo: Json = {
  IsBound: { type: 'boolean' },
  OpenId: orNull(text),
  UnionId: orNull(text),
  AppId: text,
  IsSubscribed: { type: 'boolean' },
  BoundAt: orNull(unixSeconds),
  Version: integer,
}

const listOf = (items: Json): Json => ({ type: 'array', items })

const bindInfoOf = (more: Json) => object({ Account: text, User_ID: text, ...bindInfo, ...more })

const resultData = {
  GetQrCode: object({
    Ticket: { ...text, description: "WeChat's ticket of the QR code" },
    Url: { ...text, description: 'The text that the QR code encodes' },
    ImageUrl: { ...text, description: "URL of WeChat's picture of the QR code" },
    ExpiresAt: unixSeconds,
    ExpireSeconds: { ...integer, description: 'Seconds left' },
  }),
  GetBindInfo: object(bindInfo),
  Disconnect: object({ Version: integer }),
  GetBindInfos: object({ Items: listOf(bindInfoOf({})) }),
  ListBindings: object({
    Items: listOf(bindInfoOf({ Label: orNull(text) })),
    NextCursor: { ...orNull(text), description: 'Null at the end' },
  }),
  GetEvents: object({
    Items: listOf({
      allOf: [ref('Event'), object({ Id: { ...text, description: "The webhook's webhook-id" } })],
    }),
    Cursor: { ...text, description: 'The next After, even if there was no event' },
    HasMore: { type: 'boolean' },
  }),
  EraseUser: object({ Erased: { const: true } }),
  ExportUser: object({
    Tenant: text,
    Account: text,
    User_ID: text,
    Version: integer,
    Binding: { type: ['object', 'null'] },
    History: listOf({ type: 'object' }),
    Tickets: listOf({ type: 'object' }),
    Notices: listOf({ type: 'object' }),
  }),
}

const summaries = {
  GetQrCode: {
    en: 'Returns the valid QR code of a user, or a new QR code from WeChat',
    zh: '返回用户仍有效的二维码；没有时向微信申请新的二维码',
  },
  GetBindInfo: { en: 'Returns the WeChat account that is bound to a user', zh: '查询用户绑定的微信账号' },
  Disconnect: { en: 'Removes the binding of a user', zh: '解除用户的绑定' },
  GetBindInfos: { en: 'Returns the bindings of up to 100 users', zh: '查询至多 100 个用户的绑定' },
  ListBindings: { en: 'Lists the bindings of the tenant, a page at a time', zh: '分页列出租户的全部绑定' },
  GetEvents: {
    en: 'Returns the events after a cursor, and waits for the next one',
    zh: '返回游标之后的事件，可等待下一个事件',
  },
  EraseUser: { en: 'Erases all stored data of a user', zh: '抹除用户的全部数据' },
  ExportUser: { en: 'Returns all stored data of a user', zh: '导出用户的全部数据' },
} satisfies Record<string, Bilingual>

/** OpenAPI has one summary. The Chinese summary is an extension (`x-`). */
const inBoth = ({ en, zh }: Bilingual): Json => ({ summary: en, 'x-summary-zh': zh })

const apiCodes: Record<keyof typeof summaries, ErrorCode[]> = {
  GetQrCode: ['RATE_LIMITED', 'WECHAT_FORBIDDEN', 'WECHAT_QUOTA', 'WECHAT_UNAVAILABLE'],
  GetBindInfo: [],
  Disconnect: ['NOT_BOUND'],
  GetBindInfos: [],
  ListBindings: [],
  GetEvents: ['EVENTS_GONE', 'OVERLOADED'],
  EraseUser: [],
  ExportUser: [],
}

/** The codes that every call of the encrypted API can return. */
const commonCodes: ErrorCode[] = ['BAD_REQUEST', 'TEST_USER', 'STALE_DATE', 'REPLAYED', 'STORE_UNAVAILABLE']

/** Codes with the same status share one response. */
function refusals(codes: ErrorCode[], content: (codes: ErrorCode[]) => Json): Json {
  const byStatus = Map.groupBy(codes, (code) => String(errorCodes[code].status))
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      { description: group.map((code) => `${code}: ${errorCodes[code].title}`).join('. '), content: content(group) },
    ]),
  )
}

const problem = (codes: ErrorCode[]): Json => ({
  'application/problem+json': { schema: { allOf: [ref('Problem'), { properties: { code: { enum: codes } } }] } },
})

const refusedResult = (codes: ErrorCode[]): Json =>
  sealed(object({ Success: { const: false }, Code: { enum: codes }, Message: text, Data: { type: 'null' } }))

function apiPath(call: keyof typeof summaries): Json {
  return {
    post: {
      operationId: call,
      ...inBoth(summaries[call]),
      tags: ['Encrypted API'],
      requestBody: { required: true, content: sealed(toSchema(requestSchemas[call])) },
      responses: {
        200: {
          description: 'OK',
          content: sealed(
            object({ Success: { const: true }, Code: { const: 'OK' }, Message: text, Data: resultData[call] }),
          ),
        },
        ...refusals([...commonCodes, ...apiCodes[call]], refusedResult),
        ...refusals(['UNAUTHORIZED', 'TOO_LARGE'], problem),
      },
    },
  }
}

function widgetOperation(
  operationId: string,
  summary: Bilingual,
  codes: ErrorCode[],
  answer: Json,
  more: Json = {},
): Json {
  return {
    operationId,
    ...inBoth(summary),
    tags: ['Browser API'],
    security: [{ widgetToken: [] }],
    ...more,
    responses: {
      200: { description: 'OK', content: json(answer) },
      ...((more.responses as Json) ?? {}),
      ...refusals(['UNAUTHORIZED', 'TOKEN_EXPIRED', 'TEST_USER', 'STORE_UNAVAILABLE', ...codes], problem),
    },
  }
}

const header = (name: string, description: string): Json => ({ name, in: 'header', description, schema: text })

const widgetPaths: Json = {
  '/widget/qrcode': {
    post: widgetOperation(
      'createQrcode',
      {
        en: 'Returns a QR code to scan, or only the state if no scan is needed',
        zh: '返回可扫描的二维码；无需扫描时返回绑定状态',
      },
      [
        'BAD_REQUEST',
        'FORBIDDEN',
        'TOO_LARGE',
        'RATE_LIMITED',
        'WECHAT_FORBIDDEN',
        'WECHAT_QUOTA',
        'WECHAT_UNAVAILABLE',
      ],
      { oneOf: [ref('Ticket'), ref('Binding')] },
      { requestBody: { content: json(toSchema(qrcodeSchema)) } },
    ),
  },
  '/widget/binding': {
    get: widgetOperation(
      'getBinding',
      {
        en: 'Returns the state; with If-None-Match and Prefer: wait, waits until the state changes',
        zh: '返回绑定状态；带 If-None-Match 与 Prefer: wait 时，等到状态变化后返回',
      },
      [],
      ref('Binding'),
      {
        parameters: [
          header('If-None-Match', 'The known version, as in the ETag'),
          header('Prefer', 'wait=25: seconds to wait for a new version (RFC 7240), at most 25'),
        ],
        responses: { 304: { description: 'The version has not changed' } },
      },
    ),
    delete: widgetOperation('unbind', { en: 'Removes the binding', zh: '解除绑定' }, ['FORBIDDEN'], ref('Binding')),
  },
  '/widget/confirm': {
    post: widgetOperation(
      'confirm',
      {
        en: 'Confirms a scan with the four digits that WeChat shows (CONFIRM=code)',
        zh: '用微信显示的四位数字确认扫码（CONFIRM=code）',
      },
      ['BAD_REQUEST', 'FORBIDDEN', 'TOO_LARGE', 'WRONG_CODE', 'NOT_SCANNED', 'CONFLICT', 'RATE_LIMITED'],
      ref('Binding'),
      { requestBody: { required: true, content: json(toSchema(confirmSchema)) } },
    ),
  },
}

const version: Json = { ...integer, description: "The version of the user's state; also the ETag" }

const notice: Json = {
  enum: ['conflict', 'expired_scan'],
  description: 'A refused scan: of a WeChat that is bound to another account, or of a QR code that no longer works',
}

const event: Json = object({
  type: { enum: ['binding.bound', 'binding.unbound', 'binding.updated'] },
  timestamp: { ...text, format: 'date-time' },
  data: object(
    {
      Tenant: text,
      Account: text,
      User_ID: text,
      OpenId: orNull(text),
      UnionId: orNull(text),
      AppId: orNull(text),
      Version: integer,
      Reason: text,
    },
    ['OpenId', 'UnionId', 'AppId'],
  ),
})

const schemas: Json = {
  Event: event,
  Binding: {
    oneOf: [
      object({ state: { const: 'unbound' }, reason: text, version, notice }, ['reason', 'notice']),
      object({ state: { const: 'scanned' }, confirm: { enum: ['reply', 'code'] }, version, notice }, ['notice']),
      object({ state: { const: 'bound' }, boundAt: unixSeconds, version, notice }, ['notice']),
    ],
  },
  Ticket: object(
    {
      state: { const: 'unbound' },
      url: { ...text, description: 'The text that the QR code encodes' },
      qr: object({ size: integer, path: { ...text, description: 'SVG path of 1-unit modules, without margin' } }),
      code: {
        ...text,
        description: 'The user can send it to the Official Account instead of scanning, as: 绑定 <code> or bind <code>',
      },
      account: { ...text, description: 'The name of the Official Account (ACCOUNT_NAME)' },
      expiresIn: { ...integer, description: 'Seconds left' },
      version,
      notice,
    },
    ['account', 'notice'],
  ),
  Problem: object(
    {
      type: text,
      title: text,
      status: integer,
      code: text,
      detail: text,
      requestId: { ...text, description: "The request's id in the server's log; also the header X-Request-Id" },
      triesLeft: integer,
    },
    ['triesLeft'],
  ),
  WidgetToken: toSchema(tokenSchema),
}

const description = `Each request and each reply of the encrypted API is one compact JWE (RFC 7516) with alg \`dir\` and enc \`A256GCM\`. Its
protected header has a \`kid\`, and a \`jti\` that is used only once; \`contentSchema\` describes the JSON plaintext. The browser
API expects a widget token as bearer token.`

export const openapi: Json = {
  openapi: '3.1.0',
  info: { title: 'wechat-bind', version: '1', description },
  paths: {
    ...Object.fromEntries(
      (Object.keys(summaries) as (keyof typeof summaries)[]).map((call) => [`/api/WeChat/${call}`, apiPath(call)]),
    ),
    ...widgetPaths,
  },
  components: {
    schemas,
    securitySchemes: {
      widgetToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWE, typ wechat-bind-token+jwe' },
    },
  },
}
