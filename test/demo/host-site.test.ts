import { describe, expect, test } from 'vitest'
import { createHostSite } from '../../demo/host-site.ts'
import { BindError } from '../../server/client.ts'
import { openTestServer } from '../support/test-server.ts'

/** A host site with a real bind server. Amy's WeChat is bound to the user lin. */
async function setHost() {
  const testServer = await openTestServer()
  const hostSite = createHostSite({ bind: testServer.client })
  await testServer.phone('amy').scan(await testServer.ticketUrl('lin'))
  await testServer.phone('amy').follow()
  const call = async (path: string, method = 'GET') => (await hostSite.request(path, { method })).json()
  return { testServer, hostSite, call }
}

describe('createHostSite', () => {
  test('issues a token for the signed-in user, and the bind server accepts this token', async () => {
    const { testServer, call } = await setHost()
    const { token } = await call('/token?user=lin')
    const answer = await testServer.widget('GET', '/binding', { token })
    expect(await answer.json()).toMatchObject({ state: 'bound' })
  })

  test('returns the binding to the page', async () => {
    const { testServer, call } = await setHost()
    expect(await call('/bind-info?user=lin')).toEqual({
      isBound: true,
      boundAt: Math.floor(testServer.time.clock() / 1000),
      openid: testServer.phone('amy').openid,
      isSubscribed: true,
      version: 1,
    })
    expect(await call('/bind-info?user=chen')).toMatchObject({ isBound: false, boundAt: null, openid: null })
  })

  test('unbinds, even if the page sends the request twice', async () => {
    const { call } = await setHost()
    expect(await call('/disconnect?user=lin', 'POST')).toMatchObject({ isBound: false, version: 2 })
    expect(await call('/disconnect?user=lin', 'POST')).toMatchObject({ isBound: false, version: 2 })
  })

  test.each(['/token', '/token?user=nobody', '/bind-info?user=', '/disconnect'])('answers 401 at %s', async (path) => {
    const { hostSite } = await setHost()
    const answer = await hostSite.request(path, { method: path === '/disconnect' ? 'POST' : 'GET' })
    expect([answer.status, (await answer.json()).code]).toEqual([401, 'SIGNED_OUT'])
  })

  test('when the bind server does not answer, returns an error code that must not be cached', async () => {
    const { testServer } = await setHost()
    const getBindInfo = () => Promise.reject(new BindError('UNREACHABLE', 'The bind server did not answer.'))
    const hostSite = createHostSite({ bind: { ...testServer.client, getBindInfo } })
    const answer = await hostSite.request('/bind-info?user=lin')
    expect([answer.status, answer.headers.get('Cache-Control')]).toEqual([502, 'no-store'])
    expect(await answer.json()).toEqual({ code: 'UNREACHABLE', message: 'The bind server did not answer.' })
  })
})
