/** The paths of the browser API. */
import type { Bilingual, ErrorCode } from '../../errors.ts'
import { confirmSchema, oauthConfirmSchema, oauthSchema, qrcodeSchema } from '../request-schemas.ts'
import { type Json, object, ref, text, toSchema } from './json-schema.ts'
import { inBoth, json, problem, refusals } from './operation.ts'

function operation(operationId: string, summary: Bilingual, codes: ErrorCode[], answer: Json, more: Json = {}): Json {
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

export const browserPaths: Json = {
  '/widget/qrcode': {
    post: operation(
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
    get: operation(
      'getBinding',
      {
        en: 'Returns the state; with If-None-Match and Prefer: wait, waits until the state changes',
        zh: '返回绑定状态；带 If-None-Match 与 Prefer: wait 时，等到状态变化后返回',
      },
      [],
      ref('Binding'),
      {
        parameters: [
          header('If-None-Match', 'The version that the page knows, from the ETag'),
          header('Prefer', 'wait=25: seconds to wait for a new version (RFC 7240), at most 25'),
        ],
        responses: { 304: { description: 'The version has not changed' } },
      },
    ),
    delete: operation('unbind', { en: 'Removes the binding', zh: '解除绑定' }, ['FORBIDDEN'], ref('Binding')),
  },
  '/widget/confirm': {
    post: operation(
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
  '/widget/oauth': {
    post: operation(
      'startOauth',
      {
        en: "Returns the URL of WeChat's authorization for a page inside WeChat (WECHAT_OAUTH=on)",
        zh: '为微信内的页面返回微信网页授权的网址（WECHAT_OAUTH=on）',
      },
      ['BAD_REQUEST', 'FORBIDDEN', 'NOT_FOUND', 'TOO_LARGE', 'RATE_LIMITED'],
      object({ url: { ...text, description: 'The page navigates to this URL' } }),
      { requestBody: { required: true, content: json(toSchema(oauthSchema)) } },
    ),
  },
  '/widget/oauth/confirm': {
    post: operation(
      'confirmOauth',
      {
        en: 'Binds the user with the proof from the URL fragment of the page, after the return from WeChat',
        zh: '用微信返回页面时网址片段中的凭证完成绑定',
      },
      ['BAD_REQUEST', 'FORBIDDEN', 'NOT_FOUND', 'TOO_LARGE', 'CONFLICT', 'PROOF_EXPIRED'],
      ref('Binding'),
      { requestBody: { required: true, content: json(toSchema(oauthConfirmSchema)) } },
    ),
  },
}
