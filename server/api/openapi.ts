/** The OpenAPI 3.1 description, made from the same schemas that check the requests. */
import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../errors.ts'
import { confirmSchema, qrcodeSchema, requestSchemas, tokenSchema } from './request-schemas.ts'

type Json = Record<string, unknown>

/** A JWE is text whose content has a schema of its own (JSON Schema 2020-12, `contentSchema`). */
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

const resultData = {
  GetQrCode: object({
    Ticket: { ...text, description: "WeChat's ticket" },
    Url: { ...text, description: 'What the QR encodes' },
    ImageUrl: { ...text, description: "WeChat's picture of it" },
    ExpiresAt: unixSeconds,
    ExpireSeconds: { ...integer, description: 'Seconds left' },
  }),
  GetBindInfo: object({
    IsBound: { type: 'boolean' },
    OpenId: orNull(text),
    UnionId: orNull(text),
    AppId: text,
    IsSubscribed: { type: 'boolean' },
    BoundAt: orNull(unixSeconds),
    Version: integer,
  }),
  Disconnect: object({ Version: integer }),
}

type Summary = { en: string; zh: string }

const summaries = {
  GetQrCode: {
    en: 'A QR for a user: the live one, or a new one from WeChat',
    zh: '为用户取得二维码：现有的，或向微信新建的',
  },
  GetBindInfo: { en: 'Who is bound to a user', zh: '查询用户绑定了谁' },
  Disconnect: { en: 'Ends the binding of a user', zh: '解除用户的绑定' },
} satisfies Record<string, Summary>

/** OpenAPI has one summary; the second language rides beside it. */
const inBoth = ({ en, zh }: Summary): Json => ({ summary: en, 'x-summary-zh': zh })

const apiCodes: Record<keyof typeof summaries, ErrorCode[]> = {
  GetQrCode: ['RATE_LIMITED', 'WECHAT_FORBIDDEN', 'WECHAT_QUOTA', 'WECHAT_UNAVAILABLE'],
  GetBindInfo: [],
  Disconnect: ['NOT_BOUND'],
}

/** Any call of the encrypted API may be refused with these. */
const commonCodes: ErrorCode[] = ['BAD_REQUEST', 'TEST_USER', 'STALE_DATE', 'REPLAYED', 'STORE_UNAVAILABLE']

/** The codes that share a status, as one response. */
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
  summary: Summary,
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
      { en: 'A ticket to scan, or the state when there is nothing to scan', zh: '一张可扫的码；无码可扫时为状态本身' },
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
        en: 'The state; with If-None-Match and Prefer: wait, once it changes',
        zh: '绑定状态；带 If-None-Match 与 Prefer: wait 时，等到变化后应答',
      },
      [],
      ref('Binding'),
      {
        parameters: [
          header('If-None-Match', 'The version that is known, as the ETag said it'),
          header('Prefer', 'wait=25: seconds to wait for another version (RFC 7240), 25 at most'),
        ],
        responses: { 304: { description: 'The version is still the one that is known' } },
      },
    ),
    delete: widgetOperation('unbind', { en: 'Ends the binding', zh: '解除绑定' }, ['FORBIDDEN'], ref('Binding')),
  },
  '/widget/confirm': {
    post: widgetOperation(
      'confirm',
      { en: 'With CONFIRM=code: the four digits that WeChat shows', zh: 'CONFIRM=code 时：填入微信显示的四位数字' },
      ['BAD_REQUEST', 'FORBIDDEN', 'TOO_LARGE', 'WRONG_CODE', 'NOT_SCANNED', 'CONFLICT'],
      ref('Binding'),
      { requestBody: { required: true, content: json(toSchema(confirmSchema)) } },
    ),
  },
}

const version: Json = { ...integer, description: "The user's version; also the ETag" }

const schemas: Json = {
  Binding: {
    oneOf: [
      object({ state: { const: 'unbound' }, reason: text, version }, ['reason']),
      object({ state: { const: 'scanned' }, confirm: { enum: ['reply', 'code'] }, version }),
      object({ state: { const: 'bound' }, boundAt: unixSeconds, version }),
    ],
  },
  Ticket: object({
    state: { const: 'unbound' },
    url: { ...text, description: 'What the QR encodes' },
    qr: object({ size: integer, path: { ...text, description: 'An SVG path of 1-unit modules, without margin' } }),
    code: { ...text, description: 'To be sent to the Official Account instead of a scan: 绑定 <code>' },
    expiresIn: { ...integer, description: 'Seconds left' },
    version,
  }),
  Problem: object(
    {
      type: text,
      title: text,
      status: integer,
      code: text,
      detail: text,
      requestId: { ...text, description: 'Also the header X-Request-Id: what the log knows this request by' },
      triesLeft: integer,
    },
    ['triesLeft'],
  ),
  WidgetToken: toSchema(tokenSchema),
}

const description = `The encrypted API takes and gives one compact JWE (RFC 7516), alg \`dir\`, enc \`A256GCM\`, whose protected header holds
\`kid\` and a \`jti\` used once; \`contentSchema\` describes the JSON inside. The browser API takes a widget token as a bearer.`

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
