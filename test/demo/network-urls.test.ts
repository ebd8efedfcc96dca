import { describe, expect, test } from 'vitest'
import { toOthersUrls } from '../../demo/network-urls.ts'
import { clientOf, lin, start } from './demo-fixture.ts'

describe('toOthersUrls', () => {
  test('names PUBLIC_URL when there is one', () => {
    expect(toOthersUrls('https://demo.example', '127.0.0.1', '4000')).toEqual(['https://demo.example'])
  })

  test('names nothing while only this machine may ask', () => {
    expect(toOthersUrls(undefined, '127.0.0.1', '4000')).toEqual([])
  })

  test.each(['0.0.0.0', '::', undefined])('names no address of this machine’s own inside under HOST=%s', (host) => {
    const urls = toOthersUrls(undefined, host, '4000')
    expect(urls.every((url) => /^http:\/\/(\d+\.){3}\d+:4000$/.test(url) && !url.includes('//127.'))).toBe(true)
  })
})

describe('startDemo', () => {
  test('shows others the pictures of its codes where they can reach them', async () => {
    const demo = await start(undefined, { PUBLIC_URL: 'https://demo.example' })
    const { ImageUrl } = await clientOf(demo).getQrCode(lin)
    expect(ImageUrl).toMatch(/^https:\/\/demo\.example\/simulator\/cgi-bin\/showqrcode\?ticket=/)
    const picture = await fetch(ImageUrl.replace('https://demo.example', demo.url))
    expect(picture.headers.get('Content-Type')).toBe('image/png')
  })
})
