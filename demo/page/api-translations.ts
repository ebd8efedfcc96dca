/** The Chinese translations of the descriptions in `/openapi.json`, which itself is in English only. */
import type { Language } from './settings.ts'

type Chinese = Exclude<Language, 'en'>

const whole: Record<string, Record<Chinese, string>> = {
  'Each request and each reply of the encrypted API is one compact JWE (RFC 7516) with alg `dir` and enc `A256GCM`. Its protected header has a `kid`, and a `jti` that is used only once. `contentSchema` describes the JSON plaintext. The browser API expects a widget token as bearer token.':
    {
      'zh-CN':
        '加密 API 的每个请求与应答都是一个紧凑格式的 JWE（RFC 7516），alg 为 dir，enc 为 A256GCM。受保护头中有 kid，以及只能使用一次的 jti；contentSchema 描述 JSON 明文。浏览器 API 使用组件令牌作为 Bearer 令牌。',
      'zh-TW':
        '加密 API 的每個請求與回應都是一個緊湊格式的 JWE（RFC 7516），alg 為 dir，enc 為 A256GCM。受保護標頭中有 kid，以及只能使用一次的 jti；contentSchema 描述 JSON 明文。瀏覽器 API 使用元件權杖作為 Bearer 權杖。',
    },
  'Identifies the user together with User_ID; opaque, compared byte for byte': {
    'zh-CN': '与 User_ID 一起标识用户；不解析内容，按字节比较',
    'zh-TW': '與 User_ID 一起識別使用者；不解析內容，按位元組比較',
  },
  "Unix seconds, at most 300 s from the server's clock": {
    'zh-CN': 'Unix 秒，与服务器时钟相差不超过 300 秒',
    'zh-TW': 'Unix 秒，與伺服器時鐘相差不超過 300 秒',
  },
  'The path of the request. If present, it must be the path that the server receives': {
    'zh-CN': '请求的路径；如填写，必须与服务器收到的路径一致',
    'zh-TW': '請求的路徑；如填寫，必須與伺服器收到的路徑一致',
  },
  'Makes a new QR code; the old one becomes invalid': {
    'zh-CN': '生成新二维码，旧二维码失效',
    'zh-TW': '產生新 QR 碼，舊的失效',
  },
  "The name that the chat shows for the user's account": {
    'zh-CN': '聊天中显示的账号名称',
    'zh-TW': '聊天中顯示的帳號名稱',
  },
  OK: { 'zh-CN': '成功', 'zh-TW': '成功' },
  "WeChat's ticket of the QR code": { 'zh-CN': '微信的二维码 ticket', 'zh-TW': '微信的 QR 碼 ticket' },
  'The text that the QR code encodes': { 'zh-CN': '二维码的内容', 'zh-TW': 'QR 碼的內容' },
  "URL of WeChat's picture of the QR code": { 'zh-CN': '微信的二维码图片网址', 'zh-TW': '微信的 QR 碼圖片網址' },
  'Unix seconds': { 'zh-CN': 'Unix 秒', 'zh-TW': 'Unix 秒' },
  'The reply has one item for each user, in the same order': {
    'zh-CN': '应答按相同顺序逐项对应',
    'zh-TW': '回應按相同順序逐項對應',
  },
  'Unix seconds, inclusive': { 'zh-CN': 'Unix 秒，包含该时刻', 'zh-TW': 'Unix 秒，包含該時刻' },
  'Unix seconds, exclusive': { 'zh-CN': 'Unix 秒，不包含该时刻', 'zh-TW': 'Unix 秒，不包含該時刻' },
  'NextCursor of the last reply': { 'zh-CN': '上一个应答的 NextCursor', 'zh-TW': '上一個回應的 NextCursor' },
  'Null on the last page': { 'zh-CN': '最后一页为 null', 'zh-TW': '最後一頁為 null' },
  'Cursor of the last reply; default: the oldest stored event': {
    'zh-CN': '上一个应答的 Cursor；不写则从保留的最早事件开始',
    'zh-TW': '上一個回應的 Cursor；不寫則從保留的最早事件開始',
  },
  'With User_ID: only the events of this user': {
    'zh-CN': '与 User_ID 一起：只返回该用户的事件',
    'zh-TW': '與 User_ID 一起：只返回該使用者的事件',
  },
  'Seconds to wait for an event': { 'zh-CN': '等待事件的秒数', 'zh-TW': '等待事件的秒數' },
  'The webhook-id of the webhook for this event': {
    'zh-CN': '此事件的 webhook 的 webhook-id',
    'zh-TW': '此事件的 webhook 的 webhook-id',
  },
  'The value for After in the next request; set even if Items is empty': {
    'zh-CN': '下一次请求的 After；Items 为空时也会返回',
    'zh-TW': '下一次請求的 After；Items 為空時也會返回',
  },
  'Seconds left': { 'zh-CN': '剩余秒数', 'zh-TW': '剩餘秒數' },
  'The version that the page knows, from the ETag': {
    'zh-CN': '页面已知的版本，取自 ETag',
    'zh-TW': '頁面已知的版本，取自 ETag',
  },
  'wait=25: seconds to wait for a new version (RFC 7240), at most 25': {
    'zh-CN': 'wait=25：等待新版本的秒数（RFC 7240），最多 25',
    'zh-TW': 'wait=25：等待新版本的秒數（RFC 7240），最多 25',
  },
  'The version has not changed': { 'zh-CN': '版本没有变化', 'zh-TW': '版本沒有變化' },
  "The version of the user's state; also the ETag": {
    'zh-CN': '用户状态的版本，也是 ETag',
    'zh-TW': '使用者狀態的版本，也是 ETag',
  },
  'Why a scan was refused: the WeChat is bound to another account (conflict), or the QR code no longer works (expired_scan)':
    {
      'zh-CN': '扫码被拒绝的原因：微信已绑定其他账号（conflict），或二维码已失效（expired_scan）',
      'zh-TW': '掃描被拒絕的原因：微信已綁定其他帳號（conflict），或 QR 碼已失效（expired_scan）',
    },
  'SVG path of 1-unit modules, without margin': {
    'zh-CN': 'SVG 路径，每个模块 1 单位，无边距',
    'zh-TW': 'SVG 路徑，每個模組 1 單位，無邊距',
  },
  'The user can send it to the Official Account instead of scanning, as: 绑定 <code> or bind <code>': {
    'zh-CN': '用户可以不扫码，向公众号发送：绑定 <code>，或 bind <code>',
    'zh-TW': '使用者可以不掃描，向公眾號傳送：绑定 <code>，或 bind <code>',
  },
  'The name of the Official Account (ACCOUNT_NAME)': {
    'zh-CN': '公众号名称（ACCOUNT_NAME）',
    'zh-TW': '公眾號名稱（ACCOUNT_NAME）',
  },
  'The URL of the page to which the browser returns from WeChat. Its origin must be allowed': {
    'zh-CN': '页面的网址，其来源须已允许；浏览器从微信返回此网址',
    'zh-TW': '頁面的網址，其來源須已允許；瀏覽器從微信返回此網址',
  },
  'The page navigates to this URL': { 'zh-CN': '页面跳转到此网址', 'zh-TW': '頁面跳轉到此網址' },
  'False if the WeChat user does not follow the Official Account; otherwise absent. Only with WECHAT_OAUTH=on': {
    'zh-CN': '该微信用户没有关注公众号时为 false，否则不返回；仅在 WECHAT_OAUTH=on 时出现',
    'zh-TW': '該微信使用者沒有關注公眾號時為 false，否則不返回；僅在 WECHAT_OAUTH=on 時出現',
  },
  'The QR code to follow the Official Account. It binds nobody. Only in the answers of /widget/qrcode and /widget/oauth/confirm':
    {
      'zh-CN': '用于关注公众号的二维码，不会产生绑定；见于 /widget/qrcode 与 /widget/oauth/confirm 的应答',
      'zh-TW': '用於關注公眾號的 QR 碼，不會產生綁定；見於 /widget/qrcode 與 /widget/oauth/confirm 的回應',
    },
  'True if a page inside WeChat can bind without a scan, with /widget/oauth; otherwise absent': {
    'zh-CN': '微信内的页面可用 /widget/oauth 不扫码绑定时为 true，否则不返回',
    'zh-TW': '微信內的頁面可用 /widget/oauth 不掃描綁定時為 true，否則不返回',
  },
  "The request's id in the server's log; also the header X-Request-Id": {
    'zh-CN': '服务器日志中的请求 id，也是响应头 X-Request-Id',
    'zh-TW': '伺服器記錄中的請求 id，也是回應標頭 X-Request-Id',
  },
}

/**
 * The titles of the errors, by code. The description of a response with several errors has the form
 * `CODE: title. CODE: title`.
 */
const titles: Record<string, Record<Chinese, string>> = {
  BAD_REQUEST: { 'zh-CN': '请求格式不正确', 'zh-TW': '請求格式不正確' },
  TEST_USER: { 'zh-CN': '此 User_ID 只能在模拟微信中使用', 'zh-TW': '此 User_ID 只能在模擬微信中使用' },
  STALE_DATE: { 'zh-CN': 'Date 与服务器时间相差超过 300 秒', 'zh-TW': 'Date 與伺服器時間相差超過 300 秒' },
  UNAUTHORIZED: { 'zh-CN': '凭据无效', 'zh-TW': '憑證無效' },
  TOKEN_EXPIRED: { 'zh-CN': '组件令牌已过期', 'zh-TW': '元件權杖已過期' },
  FORBIDDEN: { 'zh-CN': '组件令牌不允许此请求', 'zh-TW': '元件權杖不允許此請求' },
  REPLAYED: { 'zh-CN': '此 jti 已被使用', 'zh-TW': '此 jti 已被使用' },
  TOO_LARGE: { 'zh-CN': '请求体过大', 'zh-TW': '請求本文過大' },
  RATE_LIMITED: { 'zh-CN': '请求过多', 'zh-TW': '請求過多' },
  WECHAT_FORBIDDEN: { 'zh-CN': '微信拒绝了调用', 'zh-TW': '微信拒絕了呼叫' },
  WECHAT_QUOTA: { 'zh-CN': '微信接口的额度已用尽', 'zh-TW': '微信介面的額度已用盡' },
  WECHAT_UNAVAILABLE: { 'zh-CN': '微信不可用', 'zh-TW': '微信無法使用' },
  STORE_UNAVAILABLE: { 'zh-CN': '存储不可用', 'zh-TW': '儲存無法使用' },
  NOT_BOUND: { 'zh-CN': '用户没有绑定微信', 'zh-TW': '使用者沒有綁定微信' },
  NOT_SCANNED: { 'zh-CN': '没有待确认的扫码', 'zh-TW': '沒有待確認的掃描' },
  CONFLICT: { 'zh-CN': '此微信已绑定其他用户', 'zh-TW': '此微信已綁定其他使用者' },
  NOT_FOUND: { 'zh-CN': '没有此方法与路径', 'zh-TW': '沒有此方法與路徑' },
  PROOF_EXPIRED: { 'zh-CN': '微信授权已过期或已使用', 'zh-TW': '微信授權已過期或已使用' },
  EVENTS_GONE: { 'zh-CN': '此游标之后的事件已过期', 'zh-TW': '此游標之後的事件已過期' },
  OVERLOADED: { 'zh-CN': '服务器已达到容量上限', 'zh-TW': '伺服器已達到容量上限' },
  WRONG_CODE: { 'zh-CN': '数字与微信中显示的不一致', 'zh-TW': '數字與微信中顯示的不一致' },
}

const ERROR = /^([A-Z_]+): /

/** Returns the description in the language of the page. A description without a translation stays in English. */
export function translateDescription(text: string, lang: Language): string {
  const line = text.replace(/\s+/g, ' ')
  if (lang === 'en') return line
  if (!ERROR.test(line)) return whole[line]?.[lang] ?? line
  const parts = line.split(/\. (?=[A-Z_]+: )/).map((part) => {
    const [, code = ''] = ERROR.exec(part) ?? []
    const title = titles[code]?.[lang]
    return title ? `${code}：${title}` : part
  })
  return parts.join('；')
}
