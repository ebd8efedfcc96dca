/**
 * The tables of docs/element.md and docs/element.zh-CN.md that are not in the manifest: error codes, reasons, texts and
 * sizes. The names come from the source code. If a code or a reason has no text here, the compiler reports an error.
 */
import { type Bilingual, errorCodes } from '../../server/errors.ts'
import type { Notice, UnbindReason } from '../../server/wire.ts'
import type { BindErrorCode } from '../../widget/bind-error.ts'
import { phrases } from '../../widget/messages.ts'
import { styles } from '../../widget/styles.ts'

type Lang = keyof Bilingual
type Row = { cause: Bilingual; cure: Bilingual }

const row = (cause: string, cure: string, zhCause: string, zhCure: string): Row => ({
  cause: { en: cause, zh: zhCause },
  cure: { en: cure, zh: zhCure },
})

/**
 * The codes that originate in the browser. `OTHER_USER` is missing, because it restarts the element and causes no
 * event.
 */
const ownCodes = {
  NO_TOKEN: row(
    'The page has given no widget token. Either none of `token`, `token-url` and `getToken` is set, or `getToken` has failed, or `token-url` has answered with an error, a redirect, or a body that is not `{"token":"…"}`',
    'Read the message: it names the URL and the status. Set one of the three. Answer `token-url` with 401 if no user is signed in. If `token-url` is of another origin, its server must send `Access-Control-Allow-Origin` with the origin of the page, and `Access-Control-Allow-Credentials: true`',
    '页面没有提供组件令牌：`token`、`token-url` 与 `getToken` 都未设置；或 `getToken` 失败；或 `token-url` 返回错误、重定向，或不是 `{"token":"…"}` 的内容',
    '查看 `message`，其中有网址与状态码。设置三者之一。没有用户登录时，`token-url` 请返回 401。`token-url` 属于其他来源时，其服务器须发送 `Access-Control-Allow-Origin`（值为页面的来源）与 `Access-Control-Allow-Credentials: true`',
  ),
  BLOCKED: row(
    'The bind server can be reached, but CORS hides its answers from the page',
    'Add the origin of the page to `ALLOWED_ORIGINS` of the bind server. Check that a proxy in front of it does not remove the CORS headers',
    '可以连接绑定服务，但 CORS 向页面隐藏了应答',
    '把页面的来源加入绑定服务的 `ALLOWED_ORIGINS`；确认前置代理没有删除 CORS 头',
  ),
  NETWORK: row(
    'There is no connection to the bind server, or the content policy of the page forbids the connection',
    'Check `server`, and `connect-src` of the content policy. The element retries when the network is back',
    '无法连接绑定服务，或页面的内容安全策略不允许连接',
    '检查 `server` 与内容安全策略的 `connect-src`。网络恢复后元素自动重试',
  ),
  TIMEOUT: row(
    'No answer within 10 s, or 35 s for a poll',
    'Check the bind server, and that proxies allow requests of 30 s',
    '10 秒内（轮询为 35 秒）没有应答',
    '检查绑定服务，并确认代理允许 30 秒的请求',
  ),
  BAD_RESPONSE: row(
    'The answer is not from a bind server: it is an error page of a proxy, or `server` is wrong',
    'Open `<server>/healthz` or the URL of the failed request. Check `server`',
    '应答不是绑定服务的：是代理的错误页，或 `server` 有误',
    '打开失败的请求的网址查看；检查 `server`',
  ),
} satisfies Record<Exclude<BindErrorCode, 'OTHER_USER'>, Row>

/** The codes of the server's browser API. */
const serverCodes = {
  UNAUTHORIZED: row(
    'The widget token is damaged, or its key is not in `BIND_KEYS`',
    'Make the token with a key of this bind server',
    '组件令牌已损坏，或其密钥不在 `BIND_KEYS` 中',
    '用该绑定服务的密钥签发令牌',
  ),
  TOKEN_EXPIRED: row(
    'The widget token has expired, and the page has set only `token`',
    'Use `token-url` or `getToken`, or set a new `token`: the element continues',
    '组件令牌已过期，而页面只设置了 `token`',
    '使用 `token-url` 或 `getToken`，或设置新的 `token`，元素随即继续',
  ),
  TEST_USER: row(
    'The `User_ID` is a test user of the simulator, and the server is a real one',
    'Use the ids of your own users',
    '`User_ID` 是模拟微信的测试用户，而服务是真实的',
    '使用您自己的用户编号',
  ),
  FORBIDDEN: row(
    'The `scope` of the widget token does not allow this request, or another user has started the authorization in WeChat',
    'Make the token with `bind` or `unbind` in its `scope`. After an authorization in WeChat, do nothing: the user taps again',
    '组件令牌的 `scope` 不允许该请求；或从微信返回的授权属于另一位用户',
    '签发令牌时，在 `scope` 中包含 `bind` 或 `unbind`。从微信返回时无需处理：用户再点一次',
  ),
  BAD_REQUEST: row(
    '`server` is not a URL, or the page has an element of another version than the server',
    'Correct `server`; load the element of the version of the server',
    '`server` 不是网址，或元素与服务的版本不一致',
    '更正 `server`；加载与服务版本一致的元素',
  ),
  TOO_LARGE: row(
    'A proxy or another program has changed the request',
    'Check the proxies between the page and the server',
    '代理或其他程序修改了请求',
    '检查页面与服务之间的设备',
  ),
  NOT_FOUND: row(
    'The path of `server` is wrong',
    'Set `server` to the URL under which `/widget/qrcode` answers',
    '`server` 的路径有误',
    '`server` 须为 `/widget/qrcode` 所在的网址',
  ),
  WRONG_CODE: row(
    'The user typed wrong digits. The card displays how many tries are left',
    'You need not do anything: the user tries again',
    '用户输入的数字与微信显示的不一致；卡片显示剩余次数',
    '无需处理：用户重新输入',
  ),
  NOT_SCANNED: row(
    '`confirm()` was called without a scan, or more than two minutes after the scan',
    'You need not do anything: the element shows the QR code again',
    '没有扫码就调用 `confirm()`，或已超过两分钟',
    '无需处理：元素重新显示二维码',
  ),
  NOT_BOUND: row(
    'There was nothing to unbind',
    'You need not do anything: the element shows a QR code',
    '没有可解除的绑定',
    '无需处理：元素显示二维码',
  ),
  CONFLICT: row(
    'The WeChat account of the scan is bound to another account (`CONFLICT=reject`)',
    'The user unbinds the other account first, or uses another WeChat',
    '扫码的微信已绑定其他账号（`CONFLICT=reject`）',
    '用户先在其他账号解绑，或使用另一个微信',
  ),
  RATE_LIMITED: row(
    'The user requested too many QR codes or typed wrong digits too often',
    'Wait for the time in `Retry-After`. The limits are settings of the server',
    '该用户的二维码或错误数字过多',
    '等待 `Retry-After` 的时间。上限可在服务中设置',
  ),
  DECLINED: row(
    'The user did not allow the authorization in WeChat',
    'You need not do anything: the user can tap again, or use the QR code',
    '用户没有在微信中授权',
    '无需处理：用户可以再点一次，或使用二维码',
  ),
  PROOF_EXPIRED: row(
    'The authorization in WeChat is older than five minutes, or was used before. For example, the user has opened an old link from the history',
    'You need not do anything: the user taps again',
    '微信中的授权已超过五分钟，或已使用过；例如用户打开了历史记录中的旧链接',
    '无需处理：用户再点一次',
  ),
  SNAPSHOT_PAGE: row(
    'WeChat shows a snapshot of the page (快照页), which has no real user',
    'The user taps “使用完整服务” at the bottom of the page first',
    '微信显示的是页面的快照页，其中没有真实用户',
    '用户先点击页面底部的“使用完整服务”',
  ),
  WECHAT_FORBIDDEN: row(
    'WeChat refuses the server: credentials, IP list, or rights of the account',
    'Run `wechat-bind doctor` on the server',
    '微信拒绝了服务：凭据、IP 白名单或账号权限有误',
    '在服务器上运行 `wechat-bind doctor`',
  ),
  WECHAT_QUOTA: row(
    "The account's quota of QR codes is used up for today",
    'Wait until midnight (UTC+8), or ask WeChat for a higher quota',
    '公众号当天的二维码额度已用完',
    '等到零点（UTC+8），或申请提高额度',
  ),
  WECHAT_UNAVAILABLE: row(
    'WeChat does not answer',
    'The element retries. If the error continues, run `wechat-bind doctor`',
    '微信没有应答',
    '元素自动重试；持续发生时运行 `wechat-bind doctor`',
  ),
  STORE_UNAVAILABLE: row(
    'The database of the server does not answer',
    'The element retries. Read the log of the server',
    '服务的数据库没有应答',
    '元素自动重试；查看服务日志',
  ),
  OVERLOADED: row(
    'The server has reached the limit of waiting pages',
    'The element retries; raise `MAX_WAITERS` or start another instance',
    '服务的等待页面数达到上限',
    '元素自动重试；提高 `MAX_WAITERS` 或增加实例',
  ),
  INTERNAL: row(
    'A fault of the server or of the element',
    'Find the `requestId` in the log of the server, and report it',
    '服务或元素的缺陷',
    '在服务日志中查找 `requestId` 并报告',
  ),
} satisfies Partial<Record<keyof typeof errorCodes, Row>>

export const codeRows: Record<string, Row> = { ...ownCodes, ...serverCodes }

const unbindReasons: Record<UnbindReason, Bilingual> = {
  disconnect: { en: 'the back end called `Disconnect`', zh: '后端调用了 `Disconnect`' },
  widget: { en: 'the button of the card, or `unbind()`', zh: '卡片上的按钮，或 `unbind()`' },
  chat: { en: 'the user sent “解绑” or “unbind” in the chat', zh: '用户在聊天中发送“解绑”' },
  unsubscribe: { en: 'the user unfollowed the Official Account', zh: '用户取消关注公众号' },
  replaced: {
    en: 'the user bound another WeChat account, or another user bound this WeChat account (`CONFLICT=replace`)',
    zh: '用户绑定了另一个微信，或另一位用户绑定了该微信（`CONFLICT=replace`）',
  },
  operator: { en: 'an operator removed it on the command line or in the console', zh: '运维人员用命令行或控制台解绑' },
  erased: { en: 'all stored data of the user was erased (`EraseUser`)', zh: '该用户的全部数据被删除（`EraseUser`）' },
  import: {
    en: 'an import of bindings gave the WeChat account to another user',
    zh: '导入绑定时，该微信归另一位用户',
  },
}

const refusedReasons: Record<Notice, Bilingual> = {
  conflict: {
    en: 'the WeChat account is bound to another account (`CONFLICT=reject`)',
    zh: '该微信已绑定其他账号（`CONFLICT=reject`）',
  },
  expired_scan: {
    en: 'an earlier QR code of this user was scanned, and this QR code no longer works',
    zh: '扫描的是该用户已失效的二维码',
  },
}

/** Reads the sizes in px from the style sheet. */
function sizes(): { name: string; qr: number; width: number }[] {
  const css = String(styles)
  const qr = [...css.matchAll(/--qr: var\(--wechat-bind-qr-size, (\d+)px\)/g)].map(([, px]) => Number(px))
  const [medium = 0, small = 0, large = 0] = qr
  const around = Number(/calc\(var\(--qr\) \+ (\d+)px\)/.exec(css)?.[1])
  return Object.entries({ small, medium, large }).map(([name, side]) => ({ name, qr: side, width: side + around }))
}

/** The height of the card without the QR code. A test in layout-and-keyboard.test.ts measures the card in each size. */
const HEIGHT_AROUND = 206

const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const words = {
  en: {
    problems: 'Problems',
    intro:
      'The event `binderror` and the browser console contain the code. `retryable` means that the element tries again by itself, for example when the page becomes visible.',
    codes: ['code', 'retryable', 'cause', 'cure'],
    yes: 'yes',
    depends: 'depends on the answer',
    reasons: 'Reasons',
    reason: ['event', '`reason`', 'meaning'],
    texts: 'Texts',
    textsIntro:
      'The keys of the property `messages`, which replaces the built-in texts. The element fills in `{time}`, `{count}` and `{account}`.',
    sizes: 'Sizes',
    size: ['`size`', 'side of the QR code', 'card'],
    sizesIntro:
      'The sizes apply to the default font size. The card never becomes wider than its container, and the smallest card fits into 248 px. Inside WeChat, `small` has the size of `medium`, because a long press needs a picture of 200 px.',
  },
  zh: {
    problems: '问题与处理',
    intro: '`binderror` 事件与控制台给出错误代码。`retryable` 表示元素会自动重试，例如页面重新可见时。',
    codes: ['代码', 'retryable', '原因', '处理'],
    yes: '是',
    depends: '取决于应答',
    reasons: '原因',
    reason: ['事件', '`reason`', '含义'],
    texts: '文案',
    textsIntro: 'JS 属性 `messages` 的键，用于替换内置文案。元素填入 `{time}`、`{count}` 与 `{account}`。',
    sizes: '尺寸',
    size: ['`size`', '二维码边长', '卡片'],
    sizesIntro:
      '以常用字号计。卡片不会超出所在位置的宽度，最小的可放入 248 px。在微信中，`small` 与 `medium` 大小相同：长按需要 200 px。',
  },
} satisfies Record<Lang, object>

const retryableIn = (name: string, lang: Lang) => {
  if (name === 'NETWORK' || name === 'TIMEOUT') return words[lang].yes
  if (name === 'NO_TOKEN' || name === 'BAD_RESPONSE') return words[lang].depends
  return name in errorCodes && errorCodes[name as keyof typeof errorCodes].retryable ? words[lang].yes : ''
}

/** Returns the sections with the tables, as Markdown. */
export function elementTables(lang: Lang): string {
  const {
    problems,
    intro,
    codes,
    reasons,
    reason,
    texts,
    textsIntro,
    sizes: sizesTitle,
    size,
    sizesIntro,
  } = words[lang]
  const reasonRows = (event: string, rows: Record<string, Bilingual>) =>
    Object.entries(rows).map(([name, meaning]) => [code(event), code(name), meaning[lang]])
  return [
    `## ${problems}\n\n${intro}\n`,
    table(
      codes,
      Object.entries(codeRows).map(([name, { cause, cure }]) => [
        code(name),
        retryableIn(name, lang),
        cause[lang],
        cure[lang],
      ]),
    ),
    `\n## ${reasons}\n`,
    table(reason, [...reasonRows('unbound', unbindReasons), ...reasonRows('refused', refusedReasons)]),
    `\n## ${texts}\n\n${textsIntro}\n`,
    table(
      ['`messages`', 'zh-CN', 'zh-TW', 'en'],
      Object.entries(phrases).map(([key, columns]) => [code(key), ...columns]),
    ),
    `\n## ${sizesTitle}\n\n${sizesIntro}\n`,
    table(
      size,
      sizes().map(({ name, qr, width }) => [code(name), `${qr} px`, `${width} × ${qr + HEIGHT_AROUND} px`]),
    ),
  ].join('\n')
}
