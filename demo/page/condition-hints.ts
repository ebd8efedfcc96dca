/** One line for each setting and condition: what it changes, with the server's own name for it where there is one. */
import type { SettableName } from './condition-labels.ts'
import type { Language } from './settings.ts'

type Hints = Record<SettableName, string>

const en: Hints = {
  context: 'Where the user has opened the page with the card',
  refresh: 'What the card does when its QR code expires',
  network: 'Between the card and the bind server',
  follow: 'How long the person stays there before following',
  authorize: 'WECHAT_OAUTH: what comes back from WeChat’s authorization',
  confirm: 'CONFIRM: what the person does after the scan',
  conflict: 'CONFLICT: when it belongs to another user',
  unsubscribe: 'UNSUBSCRIBE: when the person unfollows',
  ticket: 'How long a QR code can be scanned',
  limits: 'QR_PER_MINUTE: for one user',
  mode: 'WECHAT_MODE: how WeChat encrypts callbacks',
  clock: 'WeChat and tokens allow a difference of 5 min',
  server: 'The proxy in front of it',
  store: 'The database',
  wechat: 'All calls to api.weixin.qq.com',
  errcode: 'What WeChat answers to the next calls',
  callbacks: 'How WeChat’s events arrive',
  receiver: 'How the site’s back end answers webhooks',
}

const zhCN: Hints = {
  context: '用户在哪里打开带卡片的页面',
  refresh: '二维码到期后卡片的行为',
  network: '卡片与绑定服务之间的网络',
  follow: '关注之前在关注页停留的时间',
  authorize: 'WECHAT_OAUTH：微信网页授权返回的结果',
  confirm: 'CONFIRM：扫码后是否需要确认',
  conflict: 'CONFLICT：该微信属于其他用户时',
  unsubscribe: 'UNSUBSCRIBE：取消关注之后',
  ticket: '二维码可以扫描的时间',
  limits: 'QR_PER_MINUTE：每个用户',
  mode: 'WECHAT_MODE：微信如何加密回调',
  clock: '微信与令牌允许 5 分钟误差',
  server: '服务前面的反向代理',
  store: '数据库',
  wechat: '对 api.weixin.qq.com 的全部调用',
  errcode: '微信对之后调用的应答',
  callbacks: '微信事件的到达方式',
  receiver: '网站后端对 webhook 的应答',
}

const zhTW: Hints = {
  context: '使用者在哪裡開啟帶卡片的頁面',
  refresh: 'QR 碼 到期後卡片的行為',
  network: '卡片與綁定服務之間的網路',
  follow: '關注之前在關注頁停留的時間',
  authorize: 'WECHAT_OAUTH：微信網頁授權返回的結果',
  confirm: 'CONFIRM：掃描後是否需要確認',
  conflict: 'CONFLICT：該微信屬於其他使用者時',
  unsubscribe: 'UNSUBSCRIBE：取消關注之後',
  ticket: 'QR 碼 可以掃描的時間',
  limits: 'QR_PER_MINUTE：每個使用者',
  mode: 'WECHAT_MODE：微信如何加密回呼',
  clock: '微信與權杖允許 5 分鐘誤差',
  server: '服務前面的反向代理',
  store: '資料庫',
  wechat: '對 api.weixin.qq.com 的全部呼叫',
  errcode: '微信對之後呼叫的回應',
  callbacks: '微信事件的到達方式',
  receiver: '網站後端對 webhook 的回應',
}

export const conditionHints: Record<Language, Hints> = { 'zh-CN': zhCN, 'zh-TW': zhTW, en }
