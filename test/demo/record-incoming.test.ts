import { describe, expect, test } from 'vitest'
import type { WireEntry } from '../../demo/simulator/traffic-log.ts'
import { bindAmy, clientOf, lin, start } from './demo-fixture.ts'

const kinds = (entries: WireEntry[]) => entries.map(({ kind, title }) => `${kind} ${title}`)

describe('the traffic log', () => {
  test('contains all requests of a binding, in order', async () => {
    const demo = await start()
    await bindAmy(demo)
    await expect.poll(() => kinds(demo.wire.since(0))).toContain('webhook binding.updated')
    expect(kinds(demo.wire.since(0)).filter((one) => !one.includes('user/info'))).toEqual([
      'check echostr',
      'api GetQrCode',
      'wechat /cgi-bin/stable_token',
      'wechat /cgi-bin/qrcode/create',
      'callback subscribe',
      'webhook binding.bound',
      // By now the server knows the unionid.
      'webhook binding.updated',
    ])
  })

  test('decrypts encrypted requests and responses', async () => {
    const demo = await start()
    await clientOf(demo).getBindInfo(lin)
    const entry = demo.wire.since(0).at(-1)
    const sent = JSON.parse(entry!.opened)
    const response = JSON.parse(entry!.replyOpened)
    expect(entry).toMatchObject({ kind: 'api', method: 'POST', status: 200, raw: expect.stringMatching(/^ey/) })
    expect(sent).toMatchObject({ header: { kid: 'k1' }, plaintext: { Account: 'acme', User_ID: 'lin', Action: 'Get' } })
    expect(response).toMatchObject({ header: { req: sent.header.jti }, plaintext: { Success: true, Code: 'OK' } })
  })

  test('contains the call of a page with the decrypted token, and a webhook with its signature', async () => {
    const demo = await start()
    const { token } = await (await fetch(`${demo.url}/host/token?user=lin`)).json()
    await fetch(`${demo.url}/widget/binding`, { headers: { Authorization: `Bearer ${token}` } })
    await bindAmy(demo)
    await expect.poll(() => demo.wire.since(0).find(({ kind }) => kind === 'webhook')?.status).toBe(204)
    const [page] = demo.wire.since(0).filter(({ kind }) => kind === 'browser')
    const [webhook] = demo.wire.since(0).filter(({ kind }) => kind === 'webhook')
    expect(JSON.parse(page!.opened)).toMatchObject({ Account: 'acme', User_ID: 'lin', Label: 'li***@example.com' })
    expect(webhook!.headers).toMatchObject({ 'webhook-signature': expect.stringMatching(/^v1,/) })
    expect(JSON.parse(webhook!.raw)).toMatchObject({ type: 'binding.bound', data: { User_ID: 'lin' } })
  })

  test('contains an undecryptable request in its original form, with the error code of the answer', async () => {
    const demo = await start()
    await fetch(`${demo.url}/api/WeChat/GetBindInfo`, { method: 'POST', body: 'not a JWE' })
    const seen = { kind: 'api', raw: 'not a JWE', opened: '', fault: 'UNAUTHORIZED' }
    expect(demo.wire.since(0).at(-1)).toMatchObject(seen)
  })
})
