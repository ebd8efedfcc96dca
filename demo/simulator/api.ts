/** The simulated HTTP API of WeChat: the paths of `api.weixin.qq.com` that a binding needs, and `showqrcode` of `mp.weixin.qq.com`. */
import { type Context, Hono } from 'hono'
import QRCode from 'qrcode'
import type { AccessTokens } from './access-tokens.ts'
import type { Account, Random } from './account.ts'
import { toRid, WechatRefusal } from './errcodes.ts'
import type { Faults } from './faults.ts'
import { changeOpenids, type Migration } from './migration.ts'
import { checkNetwork } from './network-check.ts'
import type { Phone } from './phone.ts'
import type { Qrcodes } from './qrcodes.ts'
import type { Quota } from './quota.ts'
import type { TrafficLog } from './traffic-log.ts'
import { toUserInfo } from './user-info.ts'
import type { WebAuthorization } from './web-authorization.ts'

type ApiDeps = {
  account: Account
  callbackUrl: () => string | undefined
  accessTokens: AccessTokens
  qrcodes: Qrcodes
  quota: Quota
  phones: Phone[]
  migration: Migration | undefined
  webAuthorization: WebAuthorization
  faults: Faults
  wire: TrafficLog
  clock: () => number
  random: Random
}

type Body = Record<string, unknown>
type Query = Record<string, string>

type Endpoint = {
  method: 'GET' | 'POST'
  /** False for the endpoints that need the AppSecret instead. */
  needsToken: boolean
  answer(query: Query, body: Body): object
}

// IP addresses that are reserved for documentation (RFC 5737), so that nobody takes them for WeChat's addresses.
const API_ADDRESSES = ['192.0.2.10', '192.0.2.11']
const PUSH_ADDRESSES = ['198.51.100.0/25', '203.0.113.7']

const MAX_OPENIDS = 100

function createEndpoints({
  account,
  callbackUrl,
  accessTokens,
  qrcodes,
  quota,
  phones,
  migration,
  webAuthorization,
  clock,
}: ApiDeps): Record<string, Endpoint> {
  const get = (answer: Endpoint['answer']): Endpoint => ({ method: 'GET', needsToken: true, answer })
  const post = (answer: Endpoint['answer']): Endpoint => ({ method: 'POST', needsToken: true, answer })
  const userInfo = (openid: unknown) => {
    if (!openid) throw new WechatRefusal(41009)
    const phone = phones.find((one) => one.openid === openid)
    if (!phone) throw new WechatRefusal(40003)
    return toUserInfo(phone, account)
  }
  return {
    '/cgi-bin/token': {
      method: 'GET',
      needsToken: false,
      answer(query) {
        checkCredentials(account, query)
        return accessTokens.issueClassic()
      },
    },
    '/cgi-bin/stable_token': {
      method: 'POST',
      needsToken: false,
      answer(_, body) {
        checkCredentials(account, body)
        return accessTokens.issueStable(body.force_refresh === true)
      },
    },
    '/sns/oauth2/access_token': {
      method: 'GET',
      needsToken: false,
      answer: (query) => webAuthorization.exchange(query),
    },
    '/cgi-bin/qrcode/create': post((_, body) => qrcodes.create(body)),
    '/cgi-bin/user/info': get(({ openid }) => userInfo(openid)),
    '/cgi-bin/user/info/batchget': post((_, { user_list: list }) => {
      if (!Array.isArray(list)) throw new WechatRefusal(47001)
      if (list.length === 0 || list.length > MAX_OPENIDS) throw new WechatRefusal(40032)
      return { user_info_list: list.map((one: Body | null) => userInfo(one?.openid)) }
    }),
    '/cgi-bin/changeopenid': post((_, body) => changeOpenids({ migration, phones, account, now: clock() }, body)),
    '/cgi-bin/openapi/quota/get': post((_, { cgi_path }) => ({ errcode: 0, errmsg: 'ok', quota: quota.of(cgi_path) })),
    '/cgi-bin/callback/check': post((_, body) => checkNetwork(callbackUrl(), body)),
    '/cgi-bin/get_api_domain_ip': get(() => ({ ip_list: API_ADDRESSES })),
    '/cgi-bin/getcallbackip': get(() => ({ ip_list: PUSH_ADDRESSES })),
  }
}

function checkCredentials(account: Account, { grant_type, appid, secret }: Body): void {
  if (grant_type !== 'client_credential') throw new WechatRefusal(40002)
  if (!appid) throw new WechatRefusal(41002)
  if (appid !== account.appId) throw new WechatRefusal(40013)
  if (!secret) throw new WechatRefusal(41004)
  if (secret !== account.appSecret) throw new WechatRefusal(40125)
}

export function createApi(deps: ApiDeps): Hono {
  const { accessTokens, quota, faults, qrcodes, clock, random } = deps
  const endpoints = createEndpoints(deps)

  async function call(c: Context): Promise<object> {
    const path = pathOf(c)
    await faults.apply(path)
    const endpoint = endpoints[path]
    if (!endpoint) throw new WechatRefusal(40066)
    if (c.req.method !== endpoint.method) throw new WechatRefusal(endpoint.method === 'GET' ? 43001 : 43002)
    if (endpoint.needsToken) accessTokens.check(c.req.query('access_token'))
    quota.count(path)
    return endpoint.answer(c.req.query(), endpoint.method === 'POST' ? parseBody(await c.req.text()) : {})
  }

  return new Hono()
    .use(recordIn(deps))
    .use(async (c, next) => (faults.isDown() ? c.html('<h1>502 Bad Gateway</h1>', 502) : next()))
    .get('/showqrcode', async (c) => {
      const qrcode = qrcodes.findByTicket(c.req.query('ticket') ?? '')
      if (!qrcode) return c.notFound()
      // WeChat returns a JPEG of 430 px. The simulator returns a PNG of the same size, which an <img> displays as well.
      const png = await QRCode.toBuffer(qrcode.url, { width: 430, margin: 4 })
      return c.body(new Uint8Array(png), 200, { 'Content-Type': 'image/png' })
    })
    .all('/*', async (c) => c.json(await call(c)))
    .onError((error, c) => {
      if (!(error instanceof WechatRefusal)) throw error
      const rid = toRid(clock(), random(8))
      return c.json({ errcode: error.errcode, errmsg: `${error.message} rid: ${rid}` })
    })
}

/** WeChat's path, whatever path this app is mounted at. */
const pathOf = (c: Context) => /\/(?:cgi-bin|sns)\/.*/.exec(c.req.path)?.[0] ?? c.req.path

function parseBody(text: string): Body {
  if (text === '') throw new WechatRefusal(44002)
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body
  } catch {
    // The error 47001 below is WeChat's code for every unreadable body.
  }
  throw new WechatRefusal(47001)
}

/** Records every call and its response in the traffic log. */
function recordIn({ wire, clock }: ApiDeps) {
  return async (c: Context, next: () => Promise<void>): Promise<void> => {
    const at = clock()
    const raw = await c.req.text()
    const type = c.req.header('Content-Type')
    const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type }
    const request = { at, title: pathOf(c), method: c.req.method, url: c.req.url, headers, raw, opened: '' }
    const end = wire.begin({ kind: 'wechat', ...request })
    await next()
    const isText = !c.res.headers.get('Content-Type')?.startsWith('image/')
    const reply = isText ? await c.res.clone().text() : ''
    end({ tookMs: clock() - at, status: c.res.status, reply, replyOpened: '', fault: faultOf(c.res.status, reply) })
  }
}

/** WeChat answers errors with HTTP 200, so only the body contains the errcode. */
function faultOf(status: number, reply: string): string {
  const [, errcode, errmsg] = /"errcode":(-?\d+),"errmsg":"([^"]*)"/.exec(reply) ?? []
  if (status !== 200) return `HTTP status ${status}`
  return errcode === undefined || errcode === '0' ? '' : `${errcode} ${errmsg}`
}
