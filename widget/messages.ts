/**
 * All texts of the element in Simplified Chinese, Traditional Chinese and English. The compiler reports a missing
 * translation.
 */

/** The built-in languages. */
export type Language = 'zh-CN' | 'zh-TW' | 'en'

type Phrase = readonly [zhCN: string, zhTW: string, en: string]

export const phrases = {
  title: ['绑定微信', '綁定微信', 'Bind WeChat'],
  idle: ['扫码即可绑定', '掃碼即可綁定', 'Scan a QR code to bind'],
  show: ['显示二维码', '顯示 QR 碼', 'Show QR code'],
  loading: ['正在生成二维码…', '正在產生 QR 碼…', 'Getting a QR code…'],
  retrying: ['连接失败，正在重试…', '連線失敗，正在重試…', 'Connection failed. Retrying…'],
  qr: ['二维码', 'QR 碼', 'QR code'],
  scan: ['打开微信扫一扫', '開啟微信掃一掃', 'Scan with WeChat'],
  tap: ['绑定此微信', '綁定此微信', 'Bind this WeChat'],
  oneTap: ['点一下即可绑定', '點一下即可綁定', 'Bind with one tap'],
  binding: ['正在绑定…', '正在綁定…', 'Binding…'],
  press: ['长按识别二维码', '長按識別 QR 碼', 'Press and hold the QR code'],
  save: ['保存后用微信扫一扫识别', '儲存後用微信掃一掃識別', 'Save and scan in WeChat'],
  savePicture: ['保存图片', '儲存圖片', 'Save picture'],
  expiresIn: ['{time} 后失效', '{time} 後失效', 'Expires in {time}'],
  conflict: ['此微信已绑定其他账号', '此微信已綁定其他帳號', 'This WeChat is bound to another account'],
  expiredScan: [
    '扫描的二维码已失效，请扫此码',
    '掃描的 QR 碼已失效，請掃此碼',
    'The scanned code had expired. Scan this one.',
  ],
  cannotScan: ['扫不了码？', '無法掃碼？', 'Can’t scan?'],
  send: ['在微信里把这行字发给{account}', '在微信裡把這行字傳給{account}', 'Send this text to {account} in WeChat'],
  account: ['公众号', '公眾號', 'the Official Account'],
  find: ['在微信中搜索“{account}”', '在微信中搜尋「{account}」', 'Search for “{account}” in WeChat'],
  showQr: ['返回二维码', '返回 QR 碼', 'Back to QR code'],
  copy: ['复制', '複製', 'Copy'],
  copied: ['已复制', '已複製', 'Copied'],
  openIn: ['在微信中打开', '在微信中開啟', 'Open in WeChat'],
  openHow: ['把链接发到微信，再点开', '把連結傳到微信，再點開', 'Send the link in WeChat, then tap it'],
  scanned: ['已扫码', '已掃碼', 'Scanned'],
  confirmReply: ['请在微信里点一下确认', '請在微信裡點一下確認', 'Now confirm in WeChat'],
  confirmCode: ['请输入微信里的 4 位数字', '請輸入微信裡的 4 位數字', 'Enter the 4 digits from WeChat'],
  triesLeft: ['数字不对，还能试 {count} 次', '數字不對，還能試 {count} 次', 'Wrong digits. Tries left: {count}'],
  bound: ['已绑定微信', '已綁定微信', 'WeChat is bound'],
  boundAt: ['绑定于 {time}', '綁定於 {time}', 'Bound on {time}'],
  follow: ['关注{account}，接收消息', '關注{account}，接收訊息', 'Follow {account} to get its messages'],
  unbind: ['解绑', '解綁', 'Unbind'],
  unbindAsk: ['确定解绑微信吗？', '確定解綁微信嗎？', 'Unbind WeChat?'],
  cancel: ['取消', '取消', 'Cancel'],
  close: ['关闭', '關閉', 'Close'],
  expired: ['二维码已失效', 'QR 碼已失效', 'QR code expired'],
  renew: ['刷新二维码', '重新整理 QR 碼', 'New QR code'],
  offline: ['网络已断开', '網路已斷線', 'You’re offline'],
  offlineHint: ['连上后会自动继续', '連線後會自動繼續', 'Continues when you’re online'],
  error: ['暂时无法绑定', '暫時無法綁定', 'Can’t bind right now'],
  errorProof: ['授权未完成，请重试', '授權未完成，請重試', 'Not authorized. Please try again.'],
  errorSnapshot: ['请点“使用完整服务”', '請點「使用完整服務」', 'Tap “使用完整服务”'],
  errorServer: ['请稍后再试', '請稍後再試', 'Please try again later'],
  errorNetwork: ['请检查网络后再试', '請檢查網路後再試', 'Please check your connection'],
  errorBusy: ['操作太频繁，请稍后再试', '操作太頻繁，請稍後再試', 'Too many attempts. Try again shortly.'],
  errorToken: ['登录已过期，请刷新页面', '登入已過期，請重新整理頁面', 'Your session has ended. Reload the page.'],
  retry: ['重试', '重試', 'Try again'],
} satisfies Record<string, Phrase>

/** The keys of the property `messages`, which replaces built-in texts. The element fills in `{time}`, `{count}` and `{account}`. */
export type Messages = Record<keyof typeof phrases, string>

/** Returns the text of a key in the user's language; `value` replaces the placeholder. */
export type Translate = (key: keyof Messages, value?: string | number) => string

export function createTranslate(language: Language, own?: Partial<Messages> | null): Translate {
  const column = language === 'en' ? 2 : language === 'zh-TW' ? 1 : 0
  return (key, value = '') => (own?.[key] ?? phrases[key][column]).replace(/\{\w+\}/, String(value))
}

/** Returns the built-in language that fits a BCP 47 tag best. */
export function toLanguage(tag: string): Language {
  if (!/^zh/i.test(tag)) return 'en'
  return /^zh(?!.*hans).*(hant|[-_](tw|hk|mo)\b)/i.test(tag) ? 'zh-TW' : 'zh-CN'
}
