/** Tests `npm run dev`, which serves the pages and the element from their sources, and the demo on the same port. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dev, startDev } from '../../demo/dev.ts'

const folder = mkdtempSync(join(tmpdir(), 'wechat-bind-dev-'))
const root = join(import.meta.dirname, '../..')
let dev: Dev

beforeAll(async () => {
  dev = await startDev({ PORT: '0', LOG_LEVEL: 'silent' }, folder, 'node_modules/.vite/dev-test')
})

afterAll(async () => {
  await dev.close()
  rmSync(folder, { recursive: true })
})

const get = async (path: string) => {
  const response = await fetch(dev.url + path)
  return { status: response.status, type: response.headers.get('Content-Type') ?? '', text: await response.text() }
}

describe('npm run dev', () => {
  test.each(['/', '/api.html', '/playground', '/console/'])(
    'serves %s with the Vite client that reloads the page',
    async (path) => {
      const { status, type, text } = await get(path)
      expect({ status, type }).toEqual({ status: 200, type: 'text/html; charset=utf-8' })
      expect(text).toContain('/@vite/client')
    },
  )

  test.each(['/cdn/wechat-bind.js', '/wechat-bind.js'])('serves %s from the sources of the element', async (path) => {
    const { status, type, text } = await get(path)
    expect({ status, type }).toEqual({ status: 200, type: 'text/javascript' })
    expect(text).toContain('/widget/wechat-bind.ts')
  })

  test('serves the console from its sources', async () => {
    const { status, type, text } = await get('/console/main.ts')
    expect({ status, type }).toEqual({ status: 200, type: 'text/javascript' })
    expect(text).toContain('/console/app.ts')
  })

  test('passes every other path to the demo', async () => {
    expect((await get('/healthz')).text).toBe('{"status":"ok"}')
    expect((await get('/demo/conditions')).type).toBe('application/json')
    expect(await get('/nothing-here')).toMatchObject({ status: 404, type: 'application/problem+json' })
  })

  test('serves no file outside the folders of the sources', async () => {
    expect((await get(`/@fs${join(root, 'package.json')}`)).status).toBe(403)
    // The status is 404 if the file does not exist, because the demo has not run in this folder yet.
    expect([403, 404]).toContain((await get(`/@fs${join(root, 'data/demo.json')}`)).status)
  })
})

describe('npm run dev with a real account', () => {
  const account = {
    WECHAT_APP_ID: 'wx0123456789abcdef',
    WECHAT_APP_SECRET: 'secret',
    WECHAT_TOKEN: 'token',
    WECHAT_MODE: 'plain',
  }

  test('serves the pages, the sources and the demo only below the secret path', async () => {
    const data = mkdtempSync(join(tmpdir(), 'wechat-bind-dev-'))
    const real = await startDev({ PORT: '0', LOG_LEVEL: 'silent', ...account }, data, 'node_modules/.vite/dev-test')
    const { origin, pathname } = new URL(real.url)
    const textOf = async (url: string) => (await fetch(url)).text()
    try {
      const page = await textOf(`${real.url}/`)
      expect(page).toContain(`${pathname}/@vite/client`)
      expect(await textOf(`${real.url}/main.ts`)).toContain('createApp')
      expect(await textOf(`${real.url}/cdn/wechat-bind.js`)).toContain('/widget/wechat-bind.ts')
      expect(JSON.parse(await textOf(`${real.url}/demo/conditions`))).toMatchObject({ isReal: true })
      for (const path of ['/', '/main.ts', '/@vite/client', '/demo/conditions', '/wechat-bind.js']) {
        expect(await textOf(origin + path)).not.toContain(pathname)
        if (path !== '/wechat-bind.js') expect([path, (await fetch(origin + path)).status]).toEqual([path, 404])
      }
    } finally {
      await real.close()
      rmSync(data, { recursive: true })
    }
  })
})
