import { describe, expect, test } from 'vitest'
import { createApp } from '../../../server/app.ts'
import { openTestServer } from '../../support/test-server.ts'

describe('GET /wechat-bind.js', () => {
  test('answers the built widget to any origin, and 304 to its ETag', async () => {
    const testServer = await openTestServer()
    const app = createApp({ ...testServer.deps, widgetFile: { text: 'export {}', etag: '"v1"' } })
    const response = await app.request('/wechat-bind.js')
    expect([response.status, await response.text()]).toEqual([200, 'export {}'])
    expect(response.headers.get('content-type')).toMatch(/^text\/javascript/)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const again = await app.request('/wechat-bind.js', { headers: { 'If-None-Match': '"v1"' } })
    expect(again.status).toBe(304)
    await testServer.close()
  })

  test('answers with the build command if the file is not built', async () => {
    const testServer = await openTestServer()
    const response = await createApp({ ...testServer.deps, widgetFile: undefined }).request('/wechat-bind.js')
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('npm run build')
    await testServer.close()
  })
})
