import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorCodes } from '../../../server/errors.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
beforeEach(async () => {
  testServer = await openTestServer()
})
afterEach(() => testServer.close())

describe('GET /readyz', () => {
  test('answers 503 with the failed check when the store is down', async () => {
    await testServer.deps.store.close()
    const response = await testServer.app.request('/readyz')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ status: 'unavailable', checks: { store: 'STORE_UNAVAILABLE' } })
    testServer = await openTestServer()
  })
})

describe('GET /metrics', () => {
  test('counts unbindings by the page and by the back end', async () => {
    const bind = async () => {
      const url = await testServer.ticketUrl()
      if ((await testServer.phone('amy').scan(url)) === 'follow') await testServer.phone('amy').follow()
    }
    await bind()
    await testServer.widget('DELETE', '/binding')
    await bind()
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    const text = await (await testServer.app.request('/metrics')).text()
    expect(text).toContain('wechat_bind_changes_total{type="unbind",reason="widget"} 1')
    expect(text).toContain('wechat_bind_changes_total{type="unbind",reason="disconnect"} 1')
  })

  test('counts callbacks and bindings, and contains no id', async () => {
    const url = await testServer.ticketUrl()
    await testServer.phone('amy').scan(url)
    await testServer.phone('amy').follow()
    const text = await (await testServer.app.request('/metrics')).text()
    expect(text).toContain('wechat_bind_callbacks_total{outcome="ours"} 1')
    expect(text).toContain('wechat_bind_changes_total{type="bind",reason="scan"} 1')
    expect(text).toContain('wechat_bind_waiters 0')
    for (const id of [testServer.phone('amy').openid, 'acme', 'u1']) expect(text).not.toContain(id)
  })
})

describe('GET /openapi.json', () => {
  type Operation = { operationId: string; responses: Record<string, unknown>; requestBody?: unknown }

  const read = async () =>
    (await (await testServer.app.request('/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, Record<string, Operation>>
      components: { schemas: Record<string, unknown> }
    }

  test('describes every route', async () => {
    const { openapi, paths } = await read()
    expect(openapi).toBe('3.1.0')
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    // Routes of settings that are off are described too.
    await testServer.close()
    testServer = await openTestServer({ WECHAT_OAUTH: 'on' })
    const served = testServer.app.routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => /^(GET|POST|DELETE) \/(api|widget)\//.test(route))
    expect(described.sort()).toEqual([...new Set(served)].sort())
  })

  test('contains the constraints of the validators', async () => {
    const { paths } = await read()
    const body = JSON.stringify(paths['/api/WeChat/GetQrCode']?.post?.requestBody)
    for (const part of ['Account', 'User_ID', 'Date', 'IsRefresh', '"const":"Get"']) expect(body).toContain(part)
  })

  test('refers only to its own schemas and to existing codes', async () => {
    const description = await read()
    const text = JSON.stringify(description)
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(description.components.schemas)).toContain(name)
    }
    const codes = [...text.matchAll(/"enum":\[("[A-Z_]+"(?:,"[A-Z_]+")*)\]/g)].flatMap(([, list]) =>
      JSON.parse(`[${list}]`),
    )
    expect(codes.length).toBeGreaterThan(20)
    for (const code of codes) expect(Object.keys(errorCodes)).toContain(code)
  })
})
