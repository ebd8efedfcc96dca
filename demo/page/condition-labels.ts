/** The labels of the settings and conditions and of their values, in all languages. */
import type { ConditionName } from '../conditions.ts'
import type { Language } from './settings.ts'

export type SettableName = ConditionName | 'context' | 'network' | 'follow' | 'authorize' | 'refresh'

type Labels = Record<SettableName, { label: string; values: Record<string, string> }>

const en: Labels = {
  context: {
    label: 'Page opened in',
    values: {
      auto: 'This browser',
      desktop: 'Desktop browser',
      wechat: 'WeChat',
      mobile: 'Mobile browser',
    },
  },
  refresh: { label: 'Expired QR code', values: { auto: 'Renew up to 3 times', manual: 'Wait for a click' } },
  network: { label: 'Page network', values: { up: 'Online', slow: 'Slow, 3 s', down: 'Offline' } },
  follow: { label: 'Time on follow page', values: { quick: 'None', slow: '5 min, scene lost' } },
  authorize: {
    label: 'Tap inside WeChat',
    values: { allow: 'Authorized', decline: 'Declined', snapshot: 'Snapshot page' },
  },
  confirm: {
    label: 'Confirmation',
    values: { off: 'None', reply: 'In the chat', code: 'Four digits' },
  },
  conflict: {
    label: 'WeChat already bound',
    values: { reject: 'Reject', replace: 'Transfer', allow: 'Allow several' },
  },
  unsubscribe: { label: 'On unfollow', values: { unbind: 'Unbind', mark: 'Mark only' } },
  ticket: {
    label: 'QR lifetime',
    values: { normal: 'As configured', short: '10 s', ended: '2 s, not renewed' },
  },
  limits: { label: 'New QR codes', values: { normal: 'As configured', low: '1 a minute' } },
  mode: { label: 'Callback mode', values: { secure: 'Secure', compatible: 'Compatible', plain: 'Plain' } },
  clock: { label: 'Server clock', values: { right: 'Accurate', ahead: '10 min ahead', behind: '10 min behind' } },
  server: { label: 'Bind server', values: { up: 'Up', slow: 'Slow, 3 s', down: 'Down: 502' } },
  store: { label: 'Store', values: { up: 'Up', slow: 'Slow, 3 s', down: 'Down' } },
  wechat: { label: 'WeChat API', values: { up: 'Up', slow: 'Slow, 3 s', down: 'Down: 502' } },
  errcode: {
    label: 'WeChat errcode',
    values: {
      none: 'None',
      '-1': '-1 busy',
      40001: '40001 invalid token',
      45009: '45009 daily quota',
      45011: '45011 minute quota',
      48001: '48001 unauthorized',
      48004: '48004 API blocked',
      50002: '50002 user limited',
      40164: '40164 IP not listed',
      61004: '61004 IP not listed',
      40243: '40243 secret frozen',
      89501: '89501 IP pending',
      89503: '89503 IP unapproved',
      89506: '89506 refused twice',
      89507: '89507 refused once',
    },
  },
  callbacks: {
    label: 'Callback delivery',
    values: {
      none: 'Normal',
      duplicate: 'Twice',
      delay: '8 s late',
      reorder: 'Out of order',
      drop: 'Dropped',
      tamper: 'Tampered with',
    },
  },
  receiver: {
    label: 'Webhook receiver',
    values: {
      up: 'Accepts',
      error: '500',
      busy: '429, retry after 10 s',
      hang: 'No answer',
      moved: '307 redirect',
      gone: '410 gone',
    },
  },
}

const zhCN: Labels = {
  context: {
    label: '页面打开位置',
    values: { auto: '当前浏览器', desktop: '电脑屏幕', wechat: '微信内', mobile: '手机浏览器' },
  },
  refresh: { label: '二维码到期后', values: { auto: '自动刷新三次', manual: '等待点击' } },
  network: { label: '页面的网络', values: { up: '正常', slow: '慢，3 秒', down: '断开' } },
  follow: { label: '关注页停留时间', values: { quick: '无', slow: '5 分钟，场景丢失' } },
  authorize: { label: '微信内点击', values: { allow: '授权', decline: '拒绝', snapshot: '快照页' } },
  confirm: { label: '扫码后确认', values: { off: '不需要', reply: '在聊天中确认', code: '输入四位数字' } },
  conflict: { label: '微信已被绑定时', values: { reject: '拒绝', replace: '转给新用户', allow: '允许多个用户' } },
  unsubscribe: { label: '取消关注时', values: { unbind: '解绑', mark: '仅标记' } },
  ticket: { label: '二维码有效期', values: { normal: '按配置', short: '10 秒', ended: '2 秒，不再刷新' } },
  limits: { label: '新二维码限量', values: { normal: '按配置', low: '每分钟 1 个' } },
  mode: { label: '消息加解密方式', values: { secure: '安全模式', compatible: '兼容模式', plain: '明文模式' } },
  clock: { label: '服务器时钟', values: { right: '准确', ahead: '快 10 分钟', behind: '慢 10 分钟' } },
  server: { label: '绑定服务', values: { up: '正常', slow: '慢，3 秒', down: '宕机：502' } },
  store: { label: '存储', values: { up: '正常', slow: '慢，3 秒', down: '不可用' } },
  wechat: { label: '微信接口', values: { up: '正常', slow: '慢，3 秒', down: '宕机：502' } },
  errcode: {
    label: '微信错误码',
    values: {
      none: '无',
      '-1': '-1 系统繁忙',
      40001: '40001 令牌已失效',
      45009: '45009 当日额度用尽',
      45011: '45011 每分钟额度用尽',
      48001: '48001 无此接口权限',
      48004: '48004 接口被封禁',
      50002: '50002 账号受限',
      40164: '40164 IP 不在白名单',
      61004: '61004 IP 不在白名单',
      40243: '40243 密钥已冻结',
      89501: '89501 IP 等待确认',
      89503: '89503 IP 需要确认',
      89506: '89506 IP 被拒两次',
      89507: '89507 IP 被拒一次',
    },
  },
  callbacks: {
    label: '回调投递',
    values: {
      none: '正常',
      duplicate: '重复投递',
      delay: '延迟 8 秒',
      reorder: '晚于下一条',
      drop: '丢失',
      tamper: '被改动一个字节',
    },
  },
  receiver: {
    label: 'Webhook 接收方',
    values: {
      up: '接受',
      error: '500',
      busy: '429，10 秒后重试',
      hang: '不应答',
      moved: '307 重定向',
      gone: '410 不再接收',
    },
  },
}

const zhTW: Labels = {
  context: {
    label: '頁面開啟位置',
    values: { auto: '目前的瀏覽器', desktop: '電腦螢幕', wechat: '微信內', mobile: '手機瀏覽器' },
  },
  refresh: { label: 'QR 碼到期後', values: { auto: '自動更新三次', manual: '等待點選' } },
  network: { label: '頁面的網路', values: { up: '正常', slow: '慢，3 秒', down: '中斷' } },
  follow: { label: '關注頁停留時間', values: { quick: '無', slow: '5 分鐘，場景遺失' } },
  authorize: { label: '微信內點選', values: { allow: '授權', decline: '拒絕', snapshot: '快照頁' } },
  confirm: { label: '掃描後確認', values: { off: '不需要', reply: '在聊天中確認', code: '輸入四位數字' } },
  conflict: { label: '微信已被綁定時', values: { reject: '拒絕', replace: '轉給新使用者', allow: '允許多個使用者' } },
  unsubscribe: { label: '取消關注時', values: { unbind: '解綁', mark: '僅標記' } },
  ticket: { label: 'QR 碼有效期', values: { normal: '依設定', short: '10 秒', ended: '2 秒，不再更新' } },
  limits: { label: '新 QR 碼限量', values: { normal: '依設定', low: '每分鐘 1 個' } },
  mode: { label: '訊息加解密方式', values: { secure: '安全模式', compatible: '相容模式', plain: '明文模式' } },
  clock: { label: '伺服器時鐘', values: { right: '準確', ahead: '快 10 分鐘', behind: '慢 10 分鐘' } },
  server: { label: '綁定服務', values: { up: '正常', slow: '慢，3 秒', down: '當機：502' } },
  store: { label: '儲存', values: { up: '正常', slow: '慢，3 秒', down: '無法使用' } },
  wechat: { label: '微信介面', values: { up: '正常', slow: '慢，3 秒', down: '當機：502' } },
  errcode: {
    label: '微信錯誤碼',
    values: {
      none: '無',
      '-1': '-1 系統忙碌',
      40001: '40001 權杖已失效',
      45009: '45009 當日額度用盡',
      45011: '45011 每分鐘額度用盡',
      48001: '48001 無此介面權限',
      48004: '48004 介面被封鎖',
      50002: '50002 帳號受限',
      40164: '40164 IP 不在白名單',
      61004: '61004 IP 不在白名單',
      40243: '40243 金鑰已凍結',
      89501: '89501 IP 等待確認',
      89503: '89503 IP 需要確認',
      89506: '89506 IP 被拒兩次',
      89507: '89507 IP 被拒一次',
    },
  },
  callbacks: {
    label: '回呼傳送',
    values: {
      none: '正常',
      duplicate: '重複傳送',
      delay: '延遲 8 秒',
      reorder: '晚於下一則',
      drop: '遺失',
      tamper: '被改動一個位元組',
    },
  },
  receiver: {
    label: 'Webhook 接收方',
    values: {
      up: '接受',
      error: '500',
      busy: '429，10 秒後重試',
      hang: '不回應',
      moved: '307 重新導向',
      gone: '410 不再接收',
    },
  },
}

export const conditionLabels: Record<Language, Labels> = { 'zh-CN': zhCN, 'zh-TW': zhTW, en }
