/**
 * Names the page of WeChat's console for each setting. The domains of web pages are set on mp.weixin.qq.com, all other settings
 * on the developer platform.
 */
import type { Bilingual } from '../errors.ts'

// WeChat announced the move here: https://developers.weixin.qq.com/doc/service/guide/dev/migration.html
const PLATFORM = 'developers.weixin.qq.com/platform'
const ACCOUNT = '我的业务与服务 > 服务号'

const place = (path: string): Bilingual => ({
  en: `WeChat's console (${PLATFORM}, ${ACCOUNT} > ${path})`,
  zh: `微信开发者平台（${PLATFORM}）“${ACCOUNT} > ${path}”`,
})

/** Each text is the object of a sentence: "copy it from …", "请从…复制". */
export const CONSOLE = {
  /** AppID and 原始 ID. */
  account: place('基础信息'),
  /** AppSecret and the IP list. */
  secret: place('基础信息 > 开发密钥'),
  /** URL, Token, EncodingAESKey and the encryption mode of the callback. */
  push: place('基础信息 > 域名与消息推送配置'),
  /** Which APIs the account may call, and how often. */
  rights: place('接口管理 > 接口权限与额度'),
  /** 网页授权域名. It was still on mp.weixin.qq.com in 2026: https://developers.weixin.qq.com/community/develop/doc/0002ae71f70d40848f6451bcd66c00 */
  webDomain: {
    en: "WeChat's console (mp.weixin.qq.com, 设置与开发 > 账号设置 > 功能设置)",
    zh: '微信后台（mp.weixin.qq.com）“设置与开发 > 账号设置 > 功能设置”',
  } satisfies Bilingual,
}
