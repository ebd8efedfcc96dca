/** The schemas that the paths refer to by name. */
import { tokenSchema } from '../request-schemas.ts'
import { integer, type Json, object, orNull, text, toSchema, unixSeconds } from './json-schema.ts'

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

const qr = object({ size: integer, path: { ...text, description: 'SVG path of 1-unit modules, without margin' } })

const account: Json = { ...text, description: 'The name of the Official Account (ACCOUNT_NAME)' }

const subscribed: Json = {
  const: false,
  description: 'Only with WECHAT_OAUTH=on: the WeChat user does not follow the Official Account',
}

const follow: Json = {
  ...object({ url: text, qr, account }, ['account']),
  description:
    'A QR code to follow with, which binds nobody; in the answers of /widget/qrcode and /widget/oauth/confirm',
}

export const schemas: Json = {
  Event: event,
  Binding: {
    oneOf: [
      object({ state: { const: 'unbound' }, reason: text, version, notice }, ['reason', 'notice']),
      object({ state: { const: 'scanned' }, confirm: { enum: ['reply', 'code'] }, version, notice }, ['notice']),
      object({ state: { const: 'bound' }, boundAt: unixSeconds, subscribed, follow, version, notice }, [
        'subscribed',
        'follow',
        'notice',
      ]),
    ],
  },
  Ticket: object(
    {
      state: { const: 'unbound' },
      url: { ...text, description: 'The text that the QR code encodes' },
      qr,
      code: {
        ...text,
        description: 'The user can send it to the Official Account instead of scanning, as: 绑定 <code> or bind <code>',
      },
      account,
      expiresIn: { ...integer, description: 'Seconds left' },
      version,
      notice,
      oauth: { const: true, description: 'A page inside WeChat can bind without a scan: /widget/oauth' },
    },
    ['account', 'notice', 'oauth'],
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
