/**
 * A line of explanation for each setting and condition. If the condition is a setting of the server, the line begins
 * with the name of this setting.
 */
import type { SettableName } from './condition-labels.ts'
import type { Language } from './settings.ts'

type Hints = Record<SettableName, string>

const en: Hints = {
  context: 'The browser in which the user opens the page with the card',
  refresh: 'What the card does when its QR code expires',
  network: 'The network between the card and the bind server',
  follow: 'How long the person waits before tapping Follow',
  authorize: 'WECHAT_OAUTH: the result of WeChat’s authorization',
  confirm: 'CONFIRM: what the person does after the scan',
  conflict: 'CONFLICT: a scan by a WeChat that another user has bound',
  unsubscribe: 'UNSUBSCRIBE: what an unfollow does to the binding',
  ticket: 'How long a QR code can be scanned',
  limits: 'QR_PER_MINUTE: the limit for one user',
  mode: 'WECHAT_MODE: how WeChat encrypts callbacks',
  clock: 'WeChat and tokens allow a difference of 5 min',
  server: 'The proxy in front of the bind server',
  store: 'The database of the bind server',
  wechat: 'All calls to api.weixin.qq.com',
  errcode: 'The error that WeChat’s API returns from now on',
  callbacks: 'How WeChat delivers its events',
  receiver: 'How the site’s back end answers webhooks',
}

const zhCN: Hints = {
  context: '用户打开带卡片的页面时使用的浏览器',
  refresh: '二维码到期后卡片的行为',
  network: '卡片与绑定服务之间的网络',
  follow: '点“关注”之前在关注页停留的时间',
  authorize: 'WECHAT_OAUTH：微信网页授权返回的结果',
  confirm: 'CONFIRM：扫码后是否需要确认',
  conflict: 'CONFLICT：微信已被其他用户绑定时的处理',
  unsubscribe: 'UNSUBSCRIBE：取消关注后如何处理绑定',
  ticket: '二维码可以扫描的时间',
  limits: 'QR_PER_MINUTE：每个用户的上限',
  mode: 'WECHAT_MODE：微信如何加密回调',
  clock: '微信与令牌允许 5 分钟误差',
  server: '绑定服务前面的反向代理',
  store: '绑定服务的数据库',
  wechat: '对 api.weixin.qq.com 的全部调用',
  errcode: '微信接口从现在起返回的错误',
  callbacks: '微信投递事件的方式',
  receiver: '网站后端对 webhook 的应答',
}

const zhTW: Hints = {
  context: '使用者開啟帶卡片的頁面時使用的瀏覽器',
  refresh: 'QR 碼到期後卡片的行為',
  network: '卡片與綁定服務之間的網路',
  follow: '點「關注」之前在關注頁停留的時間',
  authorize: 'WECHAT_OAUTH：微信網頁授權返回的結果',
  confirm: 'CONFIRM：掃描後是否需要確認',
  conflict: 'CONFLICT：微信已被其他使用者綁定時的處理',
  unsubscribe: 'UNSUBSCRIBE：取消關注後如何處理綁定',
  ticket: 'QR 碼可以掃描的時間',
  limits: 'QR_PER_MINUTE：每個使用者的上限',
  mode: 'WECHAT_MODE：微信如何加密回呼',
  clock: '微信與權杖允許 5 分鐘誤差',
  server: '綁定服務前面的反向代理',
  store: '綁定服務的資料庫',
  wechat: '對 api.weixin.qq.com 的全部呼叫',
  errcode: '微信介面從現在起返回的錯誤',
  callbacks: '微信傳送事件的方式',
  receiver: '網站後端對 webhook 的回應',
}

export const conditionHints: Record<Language, Hints> = { 'zh-CN': zhCN, 'zh-TW': zhTW, en }
