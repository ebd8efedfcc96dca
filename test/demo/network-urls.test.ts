import { describe, expect, test } from 'vitest'
import { toNetworkUrls } from '../../demo/network-urls.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

describe('toNetworkUrls', () => {
  test('returns PUBLIC_URL if it is set', () => {
    expect(toNetworkUrls('https://demo.example', '127.0.0.1', '4000')).toEqual(['https://demo.example'])
  })

  test('returns nothing while the demo listens only on this machine', () => {
    expect(toNetworkUrls(undefined, '127.0.0.1', '4000')).toEqual([])
  })

  test.each(['0.0.0.0', '::', undefined])('returns no loopback address with HOST=%s', (host) => {
    const urls = toNetworkUrls(undefined, host, '4000')
    expect(urls.every((url) => /^http:\/\/(\d+\.){3}\d+:4000$/.test(url) && !url.includes('//127.'))).toBe(true)
  })
})

describe('startDemo', () => {
  test('uses the network URL in qrImageUrl', async () => {
    const demo = await start(undefined, { PUBLIC_URL: 'https://demo.example' })
    const { ImageUrl } = await clientOf(demo).getQrCode(lin)
    expect(ImageUrl).toMatch(/^https:\/\/demo\.example\/simulator\/cgi-bin\/showqrcode\?ticket=/)
    const picture = await fetch(ImageUrl.replace('https://demo.example', demo.url))
    expect(picture.headers.get('Content-Type')).toBe('image/png')
  })
})
