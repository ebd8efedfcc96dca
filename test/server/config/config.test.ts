import { describe, expect, test } from 'vitest'
import { type Env, parseConfig } from '../../../server/config/config.ts'
import { parseKeys } from '../../../server/keys/keyring.ts'

const [SECRET, OTHER_SECRET] = ['7', '8'].map((digit) => Buffer.from(`${digit.repeat(31)}!`).toString('base64url'))
const SECRET_OF_WEBHOOK = `whsec_${'A'.repeat(32)}`
const valid: Env = {
  WECHAT_APP_ID: 'wx1234567890abcdef',
  WECHAT_APP_SECRET: 'the-app-secret',
  WECHAT_TOKEN: 'token123',
  WECHAT_ENCODING_AES_KEY: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
  BIND_KEYS: `k1:${SECRET}`,
}

const faultsOf = (env: Env): string => {
  try {
    parseConfig(env)
    return ''
  } catch (error) {
    expect(error).toMatchObject({ code: 'BAD_CONFIG' })
    return (error as Error).message
  }
}

describe('parseConfig', () => {
  test('reads the settings of the web authorization', () => {
    const env = {
      WECHAT_OAUTH: 'on',
      WECHAT_OPEN_BASE: 'http://127.0.0.1:4000/simulator/',
      WECHAT_VERIFY_FILE: 'MP_verify_a.txt:a, MP_verify_b-C_1.txt:x:y',
    }
    expect(parseConfig({ ...valid, ...env }).oauth).toEqual({
      isOn: true,
      openBase: 'http://127.0.0.1:4000/simulator',
      verifyFiles: [
        { name: 'MP_verify_a.txt', content: 'a' },
        { name: 'MP_verify_b-C_1.txt', content: 'x:y' },
      ],
    })
  })

  test('names every missing setting at once, in both languages', () => {
    const message = faultsOf({})
    for (const name of ['WECHAT_APP_ID', 'WECHAT_APP_SECRET', 'WECHAT_TOKEN', 'WECHAT_ENCODING_AES_KEY', 'BIND_KEYS']) {
      expect(message).toContain(`${name}: is missing`)
    }
    expect(message).toContain('5 settings are')
    expect(message).toContain('有 5 项配置')
    expect(message.match(/缺失/g)).toHaveLength(6)
  })

  test('has the documented defaults', () => {
    expect(parseConfig(valid)).toMatchObject({
      wechat: {
        mode: 'secure',
        apiBase: 'https://api.weixin.qq.com',
        accessTokenUrl: undefined,
        originalId: undefined,
      },
      databaseUrl: 'sqlite:./data/wechat-bind.db',
      allowedOrigins: [],
      host: undefined,
      port: 4000,
      ops: undefined,
      ticketTtlMs: 120_000,
      qrPerMinute: 10,
      qrPerHour: 60,
      qrPerDay: 200,
      qrReady: 4,
      waiters: { inAll: 20_000, perTenant: 10_000, perUser: 20 },
      maxConnections: 25_000,
      trustProxy: false,
      rules: { conflict: 'reject', confirm: 'off', unsubscribe: 'unbind', oauth: false },
      oauth: { isOn: false, openBase: 'https://open.weixin.qq.com', verifyFiles: [] },
      forwardUrl: undefined,
      logLevel: 'info',
    })
  })

  test('reads the console, on the loopback address unless CONSOLE_HOST says otherwise', () => {
    const tokens = { CONSOLE_TOKENS: 'alice:a-secret-01234567890, bob:b-secret-01234567890:operator' }
    const operators = [
      { name: 'alice', secret: 'a-secret-01234567890', role: 'viewer' },
      { name: 'bob', secret: 'b-secret-01234567890', role: 'operator' },
    ]
    expect(parseConfig({ ...valid, ...tokens, CONSOLE_PORT: '4002' }).console).toEqual({
      listen: { host: '127.0.0.1', port: 4002 },
      operators,
      tokensFile: undefined,
      allowedHosts: [],
    })
    const more = { CONSOLE_PORT: '4002', CONSOLE_HOST: '0.0.0.0', CONSOLE_ALLOWED_HOSTS: 'A.example, b.example' }
    expect(parseConfig({ ...valid, ...tokens, ...more }).console).toMatchObject({
      listen: { host: '0.0.0.0', port: 4002 },
      allowedHosts: ['a.example', 'b.example'],
    })
    // These settings are for a console that is mounted in another server.
    expect(parseConfig({ ...valid, ...tokens }).console).toMatchObject({ listen: undefined, operators })
    expect(parseConfig(valid).console).toMatchObject({ listen: undefined, operators: [] })
  })

  test('serves metrics and probes on 127.0.0.1, or on OPS_HOST', () => {
    expect(parseConfig({ ...valid, OPS_PORT: '4001' }).ops).toEqual({ host: '127.0.0.1', port: 4001 })
    const inContainer = { ...valid, OPS_PORT: '4001', OPS_HOST: '0.0.0.0' }
    expect(parseConfig(inContainer).ops).toEqual({ host: '0.0.0.0', port: 4001 })
    expect(parseConfig({ ...valid, OPS_PORT: '' }).ops).toBeUndefined()
  })

  test.each<[name: string, value: string, rule: string]>([
    ['WECHAT_APP_ID', 'gh_123', 'wx'],
    ['WECHAT_APP_SECRET', 'two words', 'AppSecret'],
    ['WECHAT_TOKEN', 'a-b', '3 to 32 letters or digits'],
    ['WECHAT_TOKEN', 'ab', '3 to 32 letters or digits'],
    ['WECHAT_ENCODING_AES_KEY', `${valid.WECHAT_ENCODING_AES_KEY}=`, 'got 44 characters: copy it without "="'],
    ['WECHAT_ENCODING_AES_KEY', 'short', 'got 5 characters'],
    ['WECHAT_ORIGINAL_ID', 'acme', 'gh_'],
    ['WECHAT_MODE', 'auto', 'secure, compatible, plain'],
    ['WECHAT_API_BASE', 'api.weixin.qq.com', 'http:// or https://'],
    ['ACCESS_TOKEN_URL', 'ftp://x', 'http:// or https://'],
    ['FORWARD_ERRORS', 'ignore', 'retry, hide'],
    ['BIND_KEYS', 'k1:short', 'wechat-bind keygen'],
    ['BIND_KEYS', `k1:${SECRET},k1:${SECRET}`, '"k1" twice'],
    ['BIND_KEYS', `k1:${SECRET},k2:${SECRET}:shop`, 'two tenants the same secret'],
    ['BIND_KEYS', `k1:${'A'.repeat(43)}`, 'a secret of zeros'],
    ['DATABASE_URL', 'mysql://x', 'sqlite:'],
    ['DATABASE_URL', 'postgres:x', 'postgres://user:password@host/database'],
    ['ALLOWED_ORIGINS', 'https://a.example/path', 'no path'],
    ['PORT', '70000', '0 to 65535'],
    ['PORT', '4000a', '0 to 65535'],
    ['OPS_PORT', '70000', '0 to 65535'],
    ['OPS_PORT', '4000', 'must differ from PORT'],
    ['OPS_HOST', '0.0.0.0', 'needs OPS_PORT'],
    ['TICKET_TTL', '59', '60 to 2592000'],
    ['TICKET_TTL', '60.5', '60 to 2592000'],
    ['QR_PER_MINUTE', '0', '1 to 1000'],
    ['QR_READY', '101', '0 to 100'],
    ['QR_READY', '-1', '0 to 100'],
    ['MAX_WAITERS', '0', '1 to 1000000'],
    ['MAX_WAITERS_TENANT', 'many', '1 to 1000000'],
    ['MAX_WAITERS_USER', '1001', '1 to 1000'],
    ['WECHAT_OAUTH', 'true', 'must be one of on, off'],
    ['WECHAT_OPEN_BASE', 'open.weixin.qq.com', 'must be a URL'],
    ['WECHAT_VERIFY_FILE', 'MP_verify_x.txt', 'name and the content'],
    ['WECHAT_VERIFY_FILE', 'MP_verify_x.txt:', 'name and the content'],
    ['WECHAT_VERIFY_FILE', 'MP_verify_../x.txt:x', 'name and the content'],
    ['WECHAT_VERIFY_FILE', 'index.html:x', 'name and the content'],
    ['WECHAT_VERIFY_FILE', 'MP_verify_x.txt:x,', 'name and the content'],
    ['MAX_CONNECTIONS', '9', '10 to 1100000'],
    ['TRUST_PROXY', '1', 'true, false'],
    ['CONFLICT', 'maybe', 'reject, replace, allow'],
    ['CONFIRM', 'yes', 'off, reply, code'],
    ['UNSUBSCRIBE', 'keep', 'unbind, mark'],
    ['LOG_LEVEL', 'loud', 'silent'],
    ['WEBHOOK_URL', 'example', 'http:// or https://'],
    ['FORWARD_URL', 'example', 'http:// or https://'],
    ['REPLY_BUOND', 'hello', 'did you mean REPLY_BOUND?'],
    ['REPLY_NOTHING', 'hello', 'is not a setting: remove it, or use one of REPLY_LANG, REPLY_BOUND'],
    ['CONFIRMS', 'code', 'did you mean CONFIRM?'],
    ['ALLOWED_ORIGIN', '', 'did you mean ALLOWED_ORIGINS?'],
    ['LOGLEVEL', 'debug', 'did you mean LOG_LEVEL?'],
    ['DATABASE_ULR', 'sqlite:x', 'did you mean DATABASE_URL?'],
    ['QR_PER_WEEK', '5', 'is not a setting: remove it, or use one of QR_PER_MINUTE'],
    ['BIND_KEY', 'k1:x', 'did you mean BIND_KEYS?'],
    ['WEBHOOK_TIMEOUT', '5', 'is not a setting'],
    ['CONSOLE_THEME', 'dark', 'is not a setting: remove it, or use one of CONSOLE_PORT'],
    ['CONSOLE_TOKEN', 'a:b', 'did you mean CONSOLE_TOKENS?'],
    ['CONSOLE_PORT', '4002', 'needs CONSOLE_TOKENS or CONSOLE_TOKENS_FILE'],
    ['CONSOLE_PORT', '4000', 'must differ from PORT'],
    ['CONSOLE_HOST', '0.0.0.0', 'needs CONSOLE_PORT'],
    ['CONSOLE_ALLOWED_HOSTS', 'https://a.example', 'must be host names'],
    ['CONSOLE_TOKENS', 'alice', 'entry 1 has no secret after its name'],
    ['CONSOLE_TOKENS', 'alice:short-secret', 'entry 1 ("alice") has a secret of 12 characters, expected 20 or more'],
    ['CONSOLE_TOKENS', `alice:${'a'.repeat(20)}`, 'a secret of one repeated character'],
    ['CONSOLE_TOKENS', 'alice:a-secret-01234567890:admin', 'needs the role viewer or operator'],
    ['CONSOLE_TOKENS', 'alice:a-secret-01234567890,alice:b-secret-01234567890', 'names "alice" twice'],
    ['CONSOLE_TOKENS', 'alice:a-secret-01234567890,bob:a-secret-01234567890', 'gives "bob" the secret of another name'],
    ['CONSOLE_TOKENS_FILE', '/none', 'cannot be read (ENOENT)'],
    ['WEBHOOK_SECRET', SECRET_OF_WEBHOOK, 'needs WEBHOOK_URL'],
    ['WEBHOOK_SECRET_DEFAULT', SECRET_OF_WEBHOOK, 'needs WEBHOOK_URL_DEFAULT'],
    ['WEBHOOK_URL_SHOPZ', 'https://a.example', 'names a tenant that no key has'],
    ['MAX_CONNECTIONS', '19999', 'fewer than MAX_WAITERS (20000)'],
    ['HOST', '"127.0.0.1"', 'has quotation marks around its value'],
    ['CONFIRM', "'code'", 'has quotation marks around its value'],
    ['BIND_KEYS', `k1:${SECRET},k2:short`, 'entry 2 ("k2") has a secret of 5 characters, expected 43'],
    ['BIND_KEYS', `k1:short,k2:${SECRET}:a:b`, 'expected 43; entry 2 ("k2") has more than three parts: make a key'],
    ['BIND_KEYS', `k1:${SECRET},k2`, 'entry 2 has no secret after its kid'],
    [
      'BIND_KEYS',
      `k1:${SECRET?.slice(1)}+`,
      'entry 1 ("k1") has characters in its secret that base64url does not have',
    ],
    ['BIND_KEYS', `k1:${SECRET}:a:b`, 'entry 1 ("k1") has more than three parts'],
    ['BIND_KEYS', `k1:${SECRET}:`, 'entry 1 ("k1") needs a tenant'],
    ['BIND_KEYS', `:${SECRET}`, 'entry 1 needs a kid'],
  ])('refuses %s=%s and states the rule', (name, value, rule) => {
    const message = faultsOf({ ...valid, [name]: value })
    expect(message).toContain(`${name}: `)
    expect(message).toContain(rule)
    expect(message).toMatch(/[\u4e00-\u9fff]/)
  })

  test('compares the default of MAX_CONNECTIONS with MAX_WAITERS', () => {
    expect(faultsOf({ ...valid, MAX_WAITERS: '25000' })).toBe('')
    expect(faultsOf({ ...valid, MAX_WAITERS: '25001' })).toContain('MAX_CONNECTIONS: is 25000, fewer than MAX_WAITERS')
  })

  test('never shows a value: it may be a secret', () => {
    const message = faultsOf({
      ...valid,
      WECHAT_APP_SECRET: 'my secret',
      BIND_KEYS: `k1:${SECRET}:a:b`,
      WECHAT_TOKEN: 'tok-en',
    })
    for (const value of ['my secret', SECRET, 'tok-en']) expect(message).not.toContain(value)
  })

  test('requires no EncodingAESKey in plain mode, and accepts two during a rotation', () => {
    expect(
      parseConfig({ ...valid, WECHAT_MODE: 'plain', WECHAT_ENCODING_AES_KEY: undefined }).wechat.encodingAesKeys,
    ).toEqual([])
    const [key = '', old] = [valid.WECHAT_ENCODING_AES_KEY, 'A'.repeat(43)]
    expect(parseConfig({ ...valid, WECHAT_ENCODING_AES_KEY: `${key}, ${old}` }).wechat.encodingAesKeys).toEqual([
      key,
      old,
    ])
    expect(faultsOf({ ...valid, WECHAT_ENCODING_AES_KEY: `${key},${key},${key}` })).toContain(
      'has 3 keys: at most two are allowed (new,old)',
    )
  })

  test('requires the secret of each webhook', () => {
    const webhooks = { WEBHOOK_URL: 'https://a.example', WEBHOOK_URL_SHOP: 'https://b.example' }
    const message = faultsOf({ ...valid, BIND_KEYS: `k1:${SECRET}:shop`, ...webhooks })
    expect(message).toContain('WEBHOOK_SECRET: is missing')
    expect(message).toContain('WEBHOOK_SECRET_SHOP: is missing')
  })

  test('refuses two tenants that share the name of a webhook setting', () => {
    expect(faultsOf({ ...valid, BIND_KEYS: `k1:${SECRET}:a-b,k2:${OTHER_SECRET}:A_B` })).toContain(
      'BIND_KEYS: names two tenants',
    )
  })

  test('requires no BIND_KEYS with BIND_KEYS_FILE', () => {
    const keys = parseKeys(`k9:${SECRET}`)
    expect(parseConfig({ ...valid, BIND_KEYS: undefined, BIND_KEYS_FILE: '/etc/keys' }, () => keys)).toMatchObject({
      keys,
      keysFile: '/etc/keys',
    })
  })

  test('names an unreadable BIND_KEYS_FILE together with every other fault', () => {
    const message = faultsOf({ ...valid, BIND_KEYS_FILE: '/nowhere/keys', PORT: '4000a' })
    expect(message).toContain('BIND_KEYS_FILE: cannot be read (ENOENT)')
    expect(message).toContain('PORT: must be an integer')
    expect(message).toContain('2 settings are')
  })

  test('accepts the variables of other programs, of the system and of Kubernetes', () => {
    const others = {
      HOME: '/root',
      PATH: '/bin',
      CONFIRMED: 'x',
      APP_PORT: '80',
      API_HOST: 'x',
      NODE_ENV: 'production',
      POSTGRES_PASSWORD: 'x',
      BIND_SERVICE_HOST: '10.0.0.1',
      BIND_SERVICE_PORT_HTTP: '80',
      BIND_PORT: 'tcp://10.0.0.1:80',
      BIND_PORT_80_TCP_ADDR: '10.0.0.1',
      WEBHOOK_TIMEOUT: '',
      npm_config_cache: 'x',
    }
    expect(faultsOf({ ...valid, CONFIRM: 'off', ...others })).toBe('')
  })

  test('accepts a name similar to a setting that is set: the name may belong to another program', () => {
    expect(faultsOf({ ...valid, CONFIG: '/etc/x' })).toContain('did you mean CONFIRM?')
    expect(faultsOf({ ...valid, CONFIG: '/etc/x', CONFIRM: 'off' })).toBe('')
  })

  test('returns the unknown names with the prefix WECHAT_, which may belong to another program', () => {
    const { unknownNames } = parseConfig({ ...valid, WECHAT_PAY_KEY: 'x', WECHAT_APP_IDS: 'x', OTHER: 'x' })
    expect(unknownNames).toEqual(['WECHAT_PAY_KEY', 'WECHAT_APP_IDS'])
  })

  test('accepts settings that have no effect because of another setting', () => {
    const file = { BIND_KEYS_FILE: '/etc/keys', WECHAT_MODE: 'plain', WEBHOOK_URL: '', WEBHOOK_SECRET: '' }
    expect(parseConfig({ ...valid, ...file }, () => parseKeys(`k9:${SECRET}`)).unknownNames).toEqual([])
  })
})

describe('parseKeys', () => {
  test('reads the tenant, which is default if none is given', () => {
    const keys = parseKeys(`k1:${SECRET}, shop-2:${OTHER_SECRET}=:shop`)
    expect(keys.map(({ kid, tenant, secret }) => [kid, tenant, secret.length])).toEqual([
      ['k1', 'default', 32],
      ['shop-2', 'shop', 32],
    ])
  })
})
