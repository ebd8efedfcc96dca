/** The schemas that the paths refer to by name. */
import { tokenSchema } from '../request-schemas.ts'
import { integer, type Json, object, orNull, text, toSchema, unixSeconds } from './json-schema.ts'

const version: Json = { ...integer, description: "The version of the user's state; also the ETag" }

const notice: Json = {
  enum: ['conflict', 'expired_scan'],
  description:
    'Why a scan was refused: the WeChat is bound to another account (conflict), or the QR code no longer works (expired_scan)',
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
  description:
    'False if the WeChat user does not follow the Official Account; otherwise absent. Only with WECHAT_OAUTH=on',
}

const follow: Json = {
  ...object({ url: text, qr, account }, ['account']),
  description:
    'The QR code to follow the Official Account. It binds nobody. Only in the answers of /widget/qrcode and /widget/oauth/confirm',
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
        description:
          'The code to bind without a scan: the user sends "绑定 <code>" or "bind <code>" to the Official Account',
      },
      account,
      expiresIn: { ...integer, description: 'Seconds left' },
      version,
      notice,
      oauth: {
        const: true,
        description: 'True if a page inside WeChat can bind without a scan, with /widget/oauth; otherwise absent',
      },
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
