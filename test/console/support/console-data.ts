/** The data of the fake console: a busy server with some faults, and a new server without users. */
import type {
  DoctorReport,
  Funnel,
  LiveEvent,
  Meta,
  Now,
  Overview,
  Range,
  UserLine,
  UserName,
  UserView,
  Webhooks,
} from '../../../server/console/wire.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** 27 November 2026, 14:20 in Shanghai. Fixed, so that pictures do not change. */
export const NOW = Date.UTC(2026, 10, 27, 6, 20, 41, 250)

export const meta: Meta = {
  version: '0.1.0',
  tenants: ['shop', 'forum', '学习平台'],
  languages: ['zh-CN', 'zh-TW', 'en'],
  accountName: 'Acme 项目',
  appId: 'wx1f0a8c2b7d9e3456',
  confirm: 'reply',
  conflict: 'reject',
}

export const OPENID = 'oAbcDh7Qk2mN5pR8sT1uV4wX9yZ'
const MASKED = 'oAbc…9yZ'

const NO_COUNTS: Funnel = { shown: 0, scanned: 0, confirmed: 0, bound: 0, unbound: 0 }

const lengths: Record<Range, number> = { '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY }

/** The number of scans depends on the hour and the day: few at night and at the weekend, most in the evening. */
function countsOf(at: number, weight: number): Funnel {
  const hour = (new Date(at).getUTCHours() + 8) % 24
  const daily = 1 + Math.sin(((hour - 9) / 24) * 2 * Math.PI)
  // A fixed irregularity in place of random numbers.
  const uneven = 1 + ((Math.floor(at / HOUR) * 7_919) % 13) / 26
  const day = new Date(at + 8 * HOUR).getUTCDay()
  const weekly = [0.62, 0.94, 1, 1.12, 1.05, 0.9, 0.7][day]!
  const shown = Math.round(62 * daily * uneven * weekly * weight)
  const scanned = Math.round(shown * 0.81)
  const confirmed = Math.round(scanned * 0.93)
  return { shown, scanned, confirmed, bound: Math.round(confirmed * 0.97), unbound: Math.round(shown * 0.06) }
}

const add = (rows: Funnel[]): Funnel =>
  rows.reduce(
    (sum, row) => ({
      shown: sum.shown + row.shown,
      scanned: sum.scanned + row.scanned,
      confirmed: sum.confirmed + row.confirmed,
      bound: sum.bound + row.bound,
      unbound: sum.unbound + row.unbound,
    }),
    NO_COUNTS,
  )

const weights: Record<string, number> = { shop: 0.62, forum: 0.3, 学习平台: 0.08 }

const now: Now = {
  waiting: { light: 'ok', pages: 1_284, limit: 20_000, instances: 3 },
  lastCallback: { light: 'ok', at: NOW - 4 * SECOND },
  accessToken: { light: 'ok', fetchedAt: NOW - 41 * MINUTE, expiresAt: NOW + 79 * MINUTE },
  wechatErrors: {
    light: 'warn',
    since: NOW - 24 * HOUR,
    codes: [
      {
        errcode: 45009,
        count: 12,
        lastAt: NOW - 3 * HOUR,
        advice: {
          en: 'The daily quota of the interface is used up.',
          zh: '该接口当日的调用次数已用完。',
          fix: {
            en: 'Raise it at developers.weixin.qq.com/platform, or clear it once a month with clear_quota.',
            zh: '请在 developers.weixin.qq.com/platform 提高额度，或每月用 clear_quota 清零一次。',
          },
        },
      },
    ],
  },
  webhooks: {
    light: 'bad',
    seconds: 5_410,
    receivers: 3,
    off: 1,
    waiting: 27,
    failed: 3,
    advice: {
      en: 'crm has failed for 5 days and is off.',
      zh: '接收方 crm 连续五天出错，已停用。',
      fix: { en: 'Correct the receiver, then enable it here.', zh: '请修正接收方，然后在此启用。' },
    },
  },
}

export function toOverview(range: Range, tenant: string | undefined): Overview {
  const from = NOW - lengths[range]
  const hours = Array.from({ length: lengths[range] / HOUR + 1 }, (_, index) => {
    const at = Math.floor(from / HOUR) * HOUR + index * HOUR
    return { at, ...countsOf(at, tenant === undefined ? 1 : (weights[tenant] ?? 0)) }
  })
  const funnel = add(hours)
  const scaled = (weight: number): Funnel => ({
    shown: Math.round(funnel.shown * weight),
    scanned: Math.round(funnel.scanned * weight),
    confirmed: Math.round(funnel.confirmed * weight),
    bound: Math.round(funnel.bound * weight),
    unbound: Math.round(funnel.unbound * weight),
  })
  const bounds = [0, 5, 10, 20, 30, 60, 120, 300]
  const shares = [0.04, 0.21, 0.34, 0.2, 0.12, 0.06, 0.02, 0.01]
  return {
    range,
    tenant: tenant ?? null,
    from,
    until: NOW,
    funnel,
    previous: scaled(0.92),
    byTenant: Object.entries(weights).map(([name, weight]) => ({ tenant: name, ...scaled(weight) })),
    series: hours,
    timeToBind: {
      count: funnel.bound,
      p50: 14.2,
      p90: 41,
      p99: 118,
      buckets: bounds.map((from, index) => ({
        from,
        upTo: bounds[index + 1] ?? null,
        count: Math.round(funnel.bound * (shares[index] ?? 0)),
      })),
    },
    now,
  }
}

export function toEmptyOverview(range: Range): Overview {
  const full = toOverview(range, undefined)
  return {
    ...full,
    funnel: NO_COUNTS,
    previous: NO_COUNTS,
    byTenant: [],
    series: full.series.map(({ at }) => ({ at, ...NO_COUNTS })),
    timeToBind: { count: 0, p50: null, p90: null, p99: null, buckets: [] },
    now: {
      waiting: { light: 'ok', pages: 0, limit: 20_000, instances: 1 },
      lastCallback: {
        light: 'unknown',
        at: null,
        advice: { en: 'WeChat has sent no callback yet.', zh: '微信尚未发送回调。' },
      },
      accessToken: { light: 'unknown', fetchedAt: null, expiresAt: null },
      wechatErrors: { light: 'ok', since: NOW - 20 * MINUTE, codes: [] },
      webhooks: { light: 'unknown', seconds: null, receivers: 0, off: 0, waiting: 0, failed: 0 },
    },
  }
}

const nameOf = (index: number): UserName => ({
  tenant: meta.tenants[index % 3] ?? 'shop',
  account: ['acme', 'acme', 'globex-international'][index % 3] ?? 'acme',
  userId: index === 2 ? 'f3b0c442-98fc-1c14-9afb-f4c8996fb924' : `u-${1_042 + index * 37}`,
})

export const TOTAL_USERS = 60

export const userLines: UserLine[] = Array.from({ length: TOTAL_USERS }, (_, index) => ({
  ...nameOf(index),
  state: index === 4 ? 'unbound' : 'bound',
  boundAt: index === 4 ? null : NOW - index * index * 7 * MINUTE - 40 * SECOND,
  subscribed: index === 4 ? null : index % 7 !== 0,
  label:
    index % 4 === 3
      ? null
      : ['li***@example.com', '王**的团队', 'a rather long label of a team that owns many projects'][index % 3]!,
  openid: index === 4 ? null : MASKED,
  found: 'binding',
}))

export const toUserView = (user: UserName): UserView => ({
  ...user,
  bindUser: 'u_2Yt7Kq9ZpL4m',
  version: 7,
  state: 'bound',
  reason: 'chat',
  binding: {
    appId: meta.appId,
    openid: MASKED,
    unionid: 'o6_b…7Kd',
    hasUnionid: true,
    subscribed: true,
    boundAt: NOW - 26 * HOUR,
    label: 'li***@example.com',
  },
  history: [
    { id: 'h5', type: 'revealed', reason: null, version: null, at: NOW - 3 * HOUR, by: 'alice' },
    { id: 'h4', type: 'updated', reason: 'unionid', version: 7, at: NOW - 26 * HOUR + 2 * SECOND, by: null },
    { id: 'h3', type: 'bound', reason: 'scan', version: 6, at: NOW - 26 * HOUR, by: null },
    { id: 'h2', type: 'unbound', reason: 'chat', version: 5, at: NOW - 9 * DAY, by: null },
    { id: 'h1', type: 'bound', reason: 'text', version: 4, at: NOW - 40 * DAY, by: null },
  ],
  historyIsCut: false,
  tickets: [
    { state: 'pending', createdAt: NOW - 30 * SECOND, expiresAt: NOW + 270 * SECOND, label: 'li***@example.com' },
    { state: 'used', createdAt: NOW - 26 * HOUR - 14 * SECOND, expiresAt: NOW - 25 * HOUR, label: null },
    { state: 'dead', createdAt: NOW - 27 * HOUR, expiresAt: NOW - 26 * HOUR, label: null },
  ],
  notices: [{ id: '812', receiver: 'crm', state: 'failed', attempts: 12, nextAt: null }],
})

const forbidden = {
  en: 'The receiver refuses the signature: both sides need the same secret.',
  zh: '接收方拒绝签名：双方的密钥须一致。',
  fix: { en: 'The receiver must verify the body as received.', zh: '接收方须校验原始请求体。' },
}
const refused = {
  en: 'No program listens at this address.',
  zh: '该地址没有程序在监听。',
  fix: {
    en: 'Start the receiver, or correct host and port of its URL.',
    zh: '请启动接收方，或更正地址中的主机与端口。',
  },
}

export const toWebhooks = (): Webhooks => ({
  receivers: [
    {
      name: 'WEBHOOK_URL',
      tenant: null,
      url: 'https://api.acme.example/hooks/wechat-bind',
      types: null,
      status: 'on',
      light: 'ok',
      waiting: 0,
      failed: 0,
      failures: 0,
      failingSince: null,
      pausedUntil: null,
      lastFailure: null,
    },
    {
      name: 'analytics',
      tenant: 'forum',
      url: 'https://events.analytics.example/v2/collect/wechat-bind/production',
      types: ['binding.bound', 'binding.unbound'],
      status: 'on',
      light: 'warn',
      advice: refused,
      waiting: 9,
      failed: 0,
      failures: 6,
      failingSince: NOW - 90 * MINUTE,
      pausedUntil: NOW + 48 * SECOND,
      lastFailure: { at: NOW - 20 * SECOND, status: null, error: 'ECONNREFUSED' },
    },
    {
      name: 'crm',
      tenant: 'shop',
      url: 'https://crm.acme.example/in',
      types: ['binding.bound'],
      status: 'off',
      light: 'bad',
      advice: now.webhooks.advice!,
      waiting: 18,
      failed: 3,
      failures: 61,
      failingSince: NOW - 5.2 * DAY,
      pausedUntil: null,
      lastFailure: { at: NOW - 2 * HOUR, status: 401, error: null },
    },
  ],
  waiting: [0, 1].map((index) => ({
    ...nameOf(index + 3),
    id: 900 + index,
    uid: `evt_waiting${index}`,
    receiver: 'analytics',
    type: 'binding.bound',
    reason: 'scan',
    version: 2,
    at: NOW - (90 - index) * MINUTE,
    attempts: 4 - index,
    nextAt: NOW + 26 * MINUTE,
    failure: { status: null, error: 'ECONNREFUSED' },
    advice: refused,
  })),
  waitingCount: 27,
  failed: [0, 1, 2].map((index) => ({
    ...nameOf(index),
    id: 800 + index,
    uid: `evt_failed${index}`,
    receiver: 'crm',
    type: index === 1 ? 'binding.unbound' : 'binding.bound',
    reason: index === 1 ? 'unsubscribe' : 'scan',
    version: 3,
    at: NOW - (4 + index) * DAY,
    attempts: 12,
    nextAt: null,
    failure: { status: 401, error: null },
    advice: forbidden,
  })),
  failedCount: 3,
})

export const emptyWebhooks: Webhooks = { receivers: [], waiting: [], waitingCount: 0, failed: [], failedCount: 0 }

export const report: DoctorReport = {
  at: NOW - 12 * MINUTE,
  by: 'alice',
  findings: [
    { id: 'settings', level: 'ok', en: 'The settings are complete.', zh: '配置完整。' },
    {
      id: 'access-token',
      level: 'wrong',
      en: 'WeChat refused the access token: errcode 40164, the IP address of this server is not in the list.',
      zh: '微信拒绝提供 access token：errcode 40164，本服务器的 IP 不在白名单中。',
      fix: {
        en: 'Add 203.0.113.7 at developers.weixin.qq.com/platform, 我的业务与服务 > 服务号 > 基础信息 > 开发密钥 > API IP 白名单.',
        zh: '请在 developers.weixin.qq.com/platform 的“我的业务与服务 > 服务号 > 基础信息 > 开发密钥 > API IP 白名单”中添加 203.0.113.7。',
      },
    },
    {
      id: 'receivers-off',
      level: 'warn',
      en: '1 webhook receiver is off: crm.',
      zh: '1 个接收方已停用：crm。',
      fix: { en: 'Run "wechat-bind webhooks enable crm".', zh: '请运行“wechat-bind webhooks enable crm”。' },
    },
    { id: 'store', level: 'ok', en: 'The store answers in 2 ms.', zh: '存储在 2 毫秒内应答。' },
    {
      id: 'callback-ips',
      level: 'ok',
      en: 'WeChat named the addresses from which callbacks come.',
      zh: '微信给出了回调来源的地址。',
      addresses: ['101.226.103.0/25', '140.207.54.0/25', '182.254.11.0/24'],
    },
    { id: 'clock', level: 'ok', en: 'The clock differs by less than a second.', zh: '时钟误差小于一秒。' },
  ],
}

export const emptyReport: DoctorReport = { at: null, by: null, findings: [] }

export const events: LiveEvent[] = Array.from({ length: 14 }, (_, index) => {
  const kinds = [
    { type: 'binding.bound', reason: 'scan' },
    { type: 'binding.bound', reason: 'text' },
    { type: 'binding.unbound', reason: 'chat' },
    { type: 'binding.updated', reason: 'unionid' },
  ] as const
  return {
    ...nameOf(index),
    ...kinds[(index * 5) % 4]!,
    id: `evt_${index}`,
    version: 2 + (index % 3),
    at: NOW - (14 - index) * 47 * SECOND,
  }
})
