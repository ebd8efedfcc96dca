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

export const schemas: Json = {
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
