import { describe, expect, test } from 'vitest'
import { type Device, deviceOf } from '../../widget/device.ts'

const APPLE = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const MAC = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE} Version/18.0 Safari/605.1.15`
const IPHONE = `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ${APPLE} Mobile/15E148`
/** The user agent has the format of the page "Developing User-Agent" in https://gitcode.com/openharmony/docs. */
const harmony = (type: string) =>
  `Mozilla/5.0 (${type}; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1`

const cases: [what: string, userAgent: string, maxTouchPoints: number, device: Device][] = [
  ['a Mac', MAC, 0, 'desktop'],
  ['an iPad, which sends the user agent of a Mac', MAC, 5, 'mobile'],
  ['Windows with a touch screen', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0.0.0', 10, 'desktop'],
  ['an iPhone', `${IPHONE} Safari/604.1`, 5, 'mobile'],
  ['an Android tablet', 'Mozilla/5.0 (Linux; Android 14; SM-X810) Chrome/126.0.0.0 Safari/537.36', 5, 'mobile'],
  ['a HarmonyOS phone', `${harmony('Phone')} Mobile`, 5, 'mobile'],
  ['a HarmonyOS tablet', harmony('Tablet'), 5, 'mobile'],
  ['a HarmonyOS PC', harmony('PC'), 10, 'desktop'],
  ['WeChat on a phone', `${IPHONE} MicroMessenger/8.0.50 NetType/WIFI`, 5, 'wechat'],
  ['WeChat on a HarmonyOS phone', `${harmony('Phone')} Mobile MicroMessenger/8.0.50`, 5, 'wechat'],
  ['WeChat on Windows', 'Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 MicroMessenger/7.0.20 WindowsWechat', 0, 'desktop'],
  ['WeChat on a Mac', `${MAC} MicroMessenger/6.8.0 MacWechat/3.8`, 0, 'desktop'],
  ['WeCom on a phone', `${IPHONE} MicroMessenger/7.0.1 wxwork/4.1.20 NetType/WIFI`, 5, 'mobile'],
  ['WeCom with its own name before WeChat’s name', `${IPHONE} wxwork/4.1.20 MicroMessenger/7.0.1`, 5, 'mobile'],
  ['WeCom on Windows', 'Mozilla/5.0 (Windows NT 10.0) Chrome/116.0 wxwork/4.1.20 MicroMessenger/7.0.1', 0, 'desktop'],
]

describe('deviceOf', () => {
  test.each(cases)('%s', (_what, userAgent, maxTouchPoints, device) => {
    expect(deviceOf({ userAgent, maxTouchPoints })).toBe(device)
  })
})
