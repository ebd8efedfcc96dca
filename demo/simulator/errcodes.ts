/** WeChat's errcodes with their messages. WeChat answers errors with HTTP 200 and an `errcode`. */

/** The `errmsg` of each code, copied from responses of WeChat's API and from its documentation. */
const errmsgs: Record<number, string> = {
  [-1]: 'system error',
  40001: 'invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken',
  40002: 'invalid grant_type',
  40003: 'invalid openid',
  40013: 'invalid appid',
  40014: 'invalid access_token',
  40029: 'invalid code',
  40032: 'invalid openid list size',
  40052: 'invalid action name',
  40053: 'invalid action info',
  40066: 'invalid url',
  40125: 'invalid appsecret',
  40163: 'code been used',
  40164: 'invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist',
  40201: 'invalid check url',
  40202: 'invalid check action',
  40203: 'invalid check operator',
  40243: 'AppSecret已被冻结，请登录MP解冻后再次调用。',
  41001: 'access_token missing',
  41002: 'appid missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  41009: 'openid missing',
  42001: 'access_token expired',
  43001: 'require GET method',
  43002: 'require POST method',
  44002: 'empty post data',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit  must slower  retry next minute',
  45029: 'qrcode count out of limit',
  47001: 'data format error',
  48001: 'api unauthorized',
  48004: 'api forbidden for irregularities, view detail on mp.weixin.qq.com',
  50002: 'user limited',
  61004: 'access clientip is not registered requestIP: 127.0.0.1',
  63178: 'appid wrong',
  63182: 'openid_list empty',
  76021: 'cgi_path not found, please check',
  89501: '此IP正在等待管理员确认,请联系管理员',
  89503: '此IP调用需要管理员确认,请联系管理员',
  89506: '24小时内该IP被管理员拒绝调用两次，24小时内不可再使用该IP调用',
  89507: '1小时内该IP被管理员拒绝调用一次，1小时内不可再使用该IP调用',
}

export class WechatRefusal extends Error {
  override name = 'WechatRefusal'
  readonly errcode: number

  constructor(errcode: number) {
    super(errmsgs[errcode] ?? 'unknown error')
    this.errcode = errcode
  }
}

/** Returns the request id, which is at the end of every `errmsg`. WeChat's diagnosis tool asks for this id. */
export function toRid(nowMs: number, random: Buffer): string {
  const seconds = Math.floor(nowMs / 1000).toString(16)
  return `${seconds}-${random.toString('hex', 0, 4)}-${random.toString('hex', 4, 8)}`
}
