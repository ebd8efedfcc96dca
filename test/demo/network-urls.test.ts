import { describe, expect, test } from 'vitest'
import { toNetworkUrls, toTrustedNames } from '../../demo/network-urls.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

describe('toNetworkUrls', () => {
  test('returns PUBLIC_URL if it is set', () => {
    expect(toNetworkUrls('https://demo.example', '127.0.0.1', '4000')).toEqual(['https://demo.example'])
  })

  test('returns no URL when the demo listens only on this machine', () => {
    expect(toNetworkUrls(undefined, '127.0.0.1', '4000')).toEqual([])
  })

  test.each(['0.0.0.0', '::', undefined])('with HOST=%s, returns no loopback address', (host) => {
    const urls = toNetworkUrls(undefined, host, '4000')
    expect(urls.every((url) => /^http:\/\/(\d+\.){3}\d+:4000$/.test(url) && !url.includes('//127.'))).toBe(true)
  })
})

describe('toTrustedNames', () => {
  test('contains the host name and the origin of PUBLIC_URL, and the names in DEMO_HOSTS', () => {
    const env = { PUBLIC_URL: 'https://demo.example:8443/path', DEMO_HOSTS: 'wechat, host.docker.internal' }
    expect(toTrustedNames(env)).toEqual({
      hosts: ['127.0.0.1', 'demo.example', 'wechat', 'host.docker.internal'],
      origins: ['https://demo.example:8443'],
    })
  })

  test.each(['0.0.0.0', '::', ''])('with HOST=%s, contains the printed addresses', (HOST) => {
    const printed = toNetworkUrls(undefined, HOST || undefined, '4000').map((url) => new URL(url).hostname)
    expect(toTrustedNames({ HOST }).hosts).toEqual(expect.arrayContaining(printed))
  })

  test.each([
    ['192.168.1.5', '192.168.1.5'],
    ['fe80::1', '[fe80::1]'],
  ])('contains the name in HOST=%s as a browser sends it', (HOST, host) => {
    expect(toTrustedNames({ HOST })).toEqual({ hosts: [host], origins: [] })
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
