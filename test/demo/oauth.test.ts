/** Tests the web authorization in the demo with the HTTP requests of a browser inside the simulated WeChat. */
import { expect, test } from 'vitest'
import type { Demo } from '../../demo/demo.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

type Options = { prefix?: string; host?: string }

async function widget(demo: Demo, path: string, body: object, { prefix = '', host }: Options = {}): Promise<Response> {
  const token = await clientOf(demo).mintToken(lin)
  const url = `http://${host ?? new URL(demo.url).host}${prefix}/widget${path}`
  const headers = { Authorization: `Bearer ${token}` }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** Follows redirects, as a browser inside the WeChat of `person` does. Returns the URL at which the redirects end. */
async function follow(url: string, person: string): Promise<string> {
  const response = await fetch(url, { redirect: 'manual', headers: { 'User-Agent': `simulated-person/${person}` } })
  return response.headers.get('Location') ?? response.text()
}

test.each([{}, { prefix: '/visitor/abcdefgh' }, { host: 'localhost' }])(
  'binds a page inside WeChat: %o',
  async (given) => {
    const demo = await start()
    const { port } = new URL(demo.url)
    const options = 'host' in given ? { host: `${given.host}:${port}` } : given
    const page = `http://${options.host ?? new URL(demo.url).host}/?user=lin#/account`
    const { url } = await (await widget(demo, '/oauth', { return: page }, options)).json()
    expect(new URL(url).origin).toBe(new URL(page).origin)

    const back = await follow(await follow(url, 'amy'), 'amy')
    expect(back).toMatch(/^http:\/\/.*\/\?user=lin#\/account\?wechat-bind=[\w-]{43}$/)
    const proof = back.slice(-43)
    expect(await (await widget(demo, '/oauth/confirm', { proof }, options)).json()).toMatchObject({ state: 'bound' })
    const { OpenId } = await clientOf(demo).getBindInfo(lin)
    expect(OpenId).toBe(demo.simulator.phone('amy').openid)
  },
)

test('the authorization page lets a browser without a phone choose a phone', async () => {
  const demo = await start()
  const { url } = await (await widget(demo, '/oauth', { return: `${demo.url}/` })).json()
  const page = await (await fetch(url)).text()
  expect(page).toContain('请在微信客户端打开链接')
  const [, declining = ''] = /href="([^"]*person=bo&amp;answer=decline)"/.exec(page) ?? []
  const declined = await follow(new URL(declining.replaceAll('&amp;', '&'), url).href, 'bo')
  expect(await follow(declined, 'bo')).toBe(`${demo.url}/#wechat-bind-error=DECLINED`)
})
