/** Tests that the conditions of one visitor do not affect the pages of other visitors. */
import { beforeEach, describe, expect, test } from 'vitest'
import { defaultConditions } from '../../demo/conditions.ts'
import type { Demo } from '../../demo/demo.ts'
import { createBindClient } from '../../server/client.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

const KEY = 'demo-key-of-32-bytes-in-base64url-000000000'.slice(0, 43)

let demo: Demo
beforeEach(async () => {
  demo = await start()
})

const one = '/visitor/one-of-two'
const other = '/visitor/other-of-two'

const put = (path: string, conditions: object) =>
  fetch(`${demo.url}${path}/demo/conditions`, { method: 'PUT', body: JSON.stringify(conditions) })

const conditionsOf = async (path: string) =>
  (await (await fetch(`${demo.url}${path}/demo/conditions`)).json()).conditions

const client = (path: string) => createBindClient({ server: demo.url + path, keyId: 'k1', key: KEY })

async function pollAs(path: string): Promise<{ status: number; body: { state?: string; version?: number } }> {
  const token = await clientOf(demo).mintToken(lin)
  const response = await fetch(`${demo.url}${path}/widget/binding`, { headers: { Authorization: `Bearer ${token}` } })
  return { status: response.status, body: await response.json().catch(() => ({})) }
}

/** Reads the version of the binding, then waits for another version, as a page does. */
async function waitAs(path: string): Promise<Response> {
  const token = await clientOf(demo).mintToken(lin)
  const headers = { Authorization: `Bearer ${token}` }
  const first = await fetch(`${demo.url}${path}/widget/binding`, { headers })
  const known = first.headers.get('ETag') ?? ''
  return fetch(`${demo.url}${path}/widget/binding`, {
    headers: { ...headers, 'If-None-Match': known, Prefer: 'wait=20' },
  })
}

describe('the conditions of a visitor', () => {
  test('are the shared conditions until the visitor sets conditions, which apply only to this visitor', async () => {
    await put('', { confirm: 'reply' })
    expect(await conditionsOf(one)).toEqual({ ...defaultConditions, confirm: 'reply' })
    await put(one, { confirm: 'code', store: 'slow' })
    expect(await conditionsOf(one)).toEqual({ ...defaultConditions, confirm: 'code', store: 'slow' })
    expect(await conditionsOf(other)).toEqual({ ...defaultConditions, confirm: 'reply' })
    expect(demo.conditions()).toEqual({ ...defaultConditions, confirm: 'reply' })
  })

  test('end when a program sets the conditions for everyone', async () => {
    await put(one, { confirm: 'code' })
    await put('', { clock: 'ahead' })
    expect(await conditionsOf(one)).toEqual({ ...defaultConditions, clock: 'ahead' })
  })

  test('can take the server down for this visitor only', async () => {
    await put(one, { server: 'down' })
    expect((await pollAs(one)).status).toBe(502)
    expect((await pollAs(other)).status).toBe(200)
    expect((await pollAs('')).status).toBe(200)
    await put(one, {})
    expect((await pollAs(one)).status).toBe(200)
  })

  test("can make WeChat's API fail for this visitor only", async () => {
    await put(one, { errcode: '48001' })
    await expect(client(one).getQrCode(lin)).rejects.toMatchObject({ code: 'WECHAT_FORBIDDEN' })
    expect((await client(other).getQrCode(lin)).Url).toMatch(/^http/)
  })

  test.each(['secure', 'plain'] as const)(
    'apply to every scan of the visitor’s newest QR code (mode %s)',
    async (mode) => {
      // Creates a QR code before the visitor sets conditions. The server then returns the same QR code to the visitor.
      await clientOf(demo).getQrCode(lin)
      await put(one, { confirm: 'reply', mode })
      const amy = demo.simulator.phone('amy')
      await amy.scan((await client(one).getQrCode(lin)).Url, { follow: true })
      expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: false })
      // The conditions also apply to the text that confirms this scan.
      await amy.sendText('确认绑定')
      expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: true })
    },
  )

  test('do not separate the bindings: a scan also notifies the pages of the same user at other visitors', async () => {
    await put(one, { unsubscribe: 'mark' })
    const waiting = [waitAs(''), waitAs(other)]
    await demo.simulator.phone('amy').scan((await client(one).getQrCode(lin)).Url, { follow: true })
    for (const response of await Promise.all(waiting)) expect(response.status).toBe(200)
    expect(await clientOf(demo).getBindInfo(lin)).toMatchObject({ IsBound: true })
  })
})
