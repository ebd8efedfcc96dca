import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createQrcodePool } from '../../../server/binding/qrcode-pool.ts'
import type { Env } from '../../../server/config/config.ts'
import { BindError } from '../../../server/errors.ts'
import type { WechatApi } from '../../../server/wechat/api.ts'
import { createFakeTime } from '../../support/fake-time.ts'
import { readMetrics } from '../../support/metrics.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Lets the promises settle. */
const settled = () => new Promise(setImmediate)

function openPool({ qrReady = 4, ticketTtlMs = 120_000 } = {}) {
  const time = createFakeTime()
  /** The lifetime that each call to WeChat asked for, in seconds. */
  const asked: number[] = []
  const counts = { pool: 0, request: 0, unused: 0 }
  const wechat = {
    isDown: false,
    /** The fake WeChat shortens every lifetime to this number of seconds. */
    longest: Number.POSITIVE_INFINITY,
    async createQrcode(scene: string, expireSeconds: number): ReturnType<WechatApi['createQrcode']> {
      asked.push(expireSeconds)
      if (wechat.isDown) throw new BindError('WECHAT_UNAVAILABLE', 'down')
      return { ticket: `t${scene}`, url: `u${scene}`, expireSeconds: Math.min(expireSeconds, wechat.longest) }
    },
  }
  const pool = createQrcodePool({
    qrReady,
    ticketTtlMs,
    wechat,
    ...time,
    onTake: (source) => counts[source]++,
    onUnused: (count) => {
      counts.unused += count
    },
  })
  async function take() {
    const taken = await pool.take().catch((error: BindError) => error.code)
    await settled()
    return taken
  }
  return { time, asked, counts, wechat, pool, take }
}

describe('createQrcodePool', () => {
  test('makes no QR code before the first use, then as many as QR_READY, and a new one for each QR code that is taken', async () => {
    const { asked, counts, pool, take } = openPool()
    await settled()
    expect(asked).toEqual([])
    await take()
    expect([pool.count(), asked.length]).toEqual([4, 5])
    await take()
    expect([pool.count(), asked.length]).toEqual([4, 6])
    expect(counts).toEqual({ pool: 1, request: 1, unused: 0 })
  })

  test('makes every QR code on request with QR_READY=0', async () => {
    const { asked, counts, take } = openPool({ qrReady: 0 })
    for (let i = 0; i < 3; i++) await take()
    expect(asked).toEqual([120, 120, 120])
    expect(counts).toEqual({ pool: 0, request: 3, unused: 0 })
  })

  test('gives each QR code to one user only, the oldest first', async () => {
    const { take } = openPool()
    const scenes = new Set<string>()
    for (let i = 0; i < 20; i++) scenes.add(((await take()) as { scene: string }).scene)
    expect(scenes.size).toBe(20)
  })

  test('asks WeChat for a lifetime that covers the age, the ticket and the time for a late follow', async () => {
    const { time, asked, take } = openPool()
    await take()
    expect(asked).toEqual([120, 720, 720, 720, 720])
    time.advance(5 * MINUTE - 1)
    expect(await take()).toMatchObject({ leftMs: 420_001 })
  })

  test('discards QR codes that are five minutes old, and makes no new QR codes on an idle server', async () => {
    const { time, asked, counts, pool, take } = openPool()
    await take()
    time.advance(5 * MINUTE - 1)
    expect([pool.count(), counts.unused]).toEqual([4, 0])
    time.advance(1)
    await settled()
    expect([pool.count(), counts.unused]).toEqual([0, 4])
    time.advance(DAY)
    await settled()
    expect([asked.length, time.pending()]).toEqual([5, 0])
  })

  test('replaces old QR codes while users request some', async () => {
    const { time, counts, pool, take } = openPool()
    await take()
    time.advance(MINUTE)
    await take()
    time.advance(4 * MINUTE)
    await settled()
    // One of the first four was taken, and three were too old.
    expect([pool.count(), counts.unused]).toEqual([4, 3])
  })

  test('gives four pages their QR codes while WeChat is down, and sends one call for each page', async () => {
    const { asked, wechat, pool, take } = openPool()
    await take()
    wechat.isDown = true
    const answers = []
    for (let i = 0; i < 5; i++) answers.push(await take())
    expect(answers).toEqual([...Array(4).fill(expect.objectContaining({ leftMs: 720_000 })), 'WECHAT_UNAVAILABLE'])
    expect(asked.length).toBe(5 + 5)
    wechat.isDown = false
    await take()
    expect(pool.count()).toBe(4)
  })

  test('counts its refused calls, so that they too cause the pause after ten refusals', async () => {
    const { asked, wechat, take } = openPool()
    await take()
    wechat.isDown = true
    for (let i = 0; i < 30; i++) await take()
    expect(asked.length).toBe(5 + 10)
  })

  test('uses no QR code whose lifetime WeChat has shortened too much, and soon makes no more QR codes in advance', async () => {
    const { asked, counts, wechat, take } = openPool()
    wechat.longest = 400
    for (let i = 0; i < 50; i++) expect(await take()).toMatchObject({ leftMs: 120_000 })
    expect(counts).toMatchObject({ pool: 0, request: 50 })
    expect(asked.length - 50).toBeLessThanOrEqual(8)
  })

  test('is empty if no lifetime that WeChat allows covers the ticket', async () => {
    const longest = openPool({ ticketTtlMs: 2_592_000_000 - 600_000 })
    await longest.take()
    expect(longest.asked.at(-1)).toBe(2_592_000)
    const longer = openPool({ ticketTtlMs: 2_592_000_000 - 599_000 })
    await longer.take()
    expect(longer.asked).toEqual([2_591_401])
  })

  test('is emptied by close, and discards a QR code that WeChat makes later', async () => {
    const { time, asked, counts, pool, take } = openPool()
    const first = pool.take()
    await first
    pool.close()
    await settled()
    expect([pool.count(), time.pending()]).toEqual([0, 0])
    expect(counts.unused).toBe(4)
    expect(await take()).toMatchObject({ leftMs: 120_000 })
    expect(asked.length).toBe(6)
  })

  // The sandbox account may make 10,000 QR codes a day.
  test.each([0.01, 0.1, 0.2, 0.5, 1, 2, 5])(
    'discards fewer than 100 QR codes a day if %d users come a minute',
    async (rate) => {
      const { time, counts, take } = openPool()
      let seed = 1
      // The generator of Park and Miller.
      const random = () => {
        seed = (seed * 48_271) % 2_147_483_647
        return seed / 2_147_483_647
      }
      const end = time.clock() + DAY
      while (time.clock() < end) {
        await take()
        time.advance((-Math.log(random()) / rate) * MINUTE)
        await settled()
      }
      expect(counts.unused).toBeLessThan(100)
      if (rate >= 2) expect(counts.unused / (counts.pool + counts.unused)).toBeLessThan(0.01)
      if (rate >= 1) expect(counts.pool / (counts.pool + counts.request)).toBeGreaterThan(0.9)
    },
  )
})

describe('a server with QR_READY', () => {
  let testServer: TestServer
  const open = async (env: Env = {}) => {
    await testServer?.close()
    testServer = await openTestServer({ QR_READY: '4', ...env })
  }
  beforeEach(() => open())
  afterEach(() => testServer.close())

  const callsToWechat = () =>
    testServer.simulator.wire.since(0).filter(({ url }) => url.includes('/cgi-bin/qrcode/create')).length

  /** The QR codes that WeChat has made and no user has, by their URLs. */
  const readyUrls = async (shown: string[]) => {
    await settled()
    const all = testServer.simulator.memory().qrcodes.map(({ url }) => url)
    return all.filter((url) => !shown.includes(url))
  }

  async function scan(person: string, url: string): Promise<string | undefined> {
    if ((await testServer.phone(person).scan(url)) === 'follow') await testServer.phone(person).follow()
    return testServer.phone(person).chat.at(-1)?.content
  }

  test('binds with a QR code that was made in advance, and shows it for the full lifetime', async () => {
    await testServer.ticketUrl('u1')
    testServer.time.advance(4 * MINUTE)
    const { Url, ExpireSeconds } = await testServer.client.getQrCode({ account: 'acme', userId: 'u2' })
    expect(ExpireSeconds).toBe(120)
    testServer.time.advance(119_000)
    await scan('amy', Url)
    expect(await testServer.bindInfo('u2')).toMatchObject({ IsBound: true })
  })

  test('binds a new follower until 300 s after the expiry of a ticket, even with the oldest QR code', async () => {
    await testServer.ticketUrl('u1')
    testServer.time.advance(5 * MINUTE - 1)
    const url = await testServer.ticketUrl('u2')
    testServer.time.advance(119_999)
    expect(await testServer.phone('amy').scan(url)).toBe('follow')
    testServer.time.advance(299_000)
    await testServer.phone('amy').follow()
    expect(await testServer.bindInfo('u2')).toMatchObject({ IsBound: true })
  })

  test('answers a scan after the expiry of the ticket as expired, although WeChat still accepts the scan', async () => {
    await testServer.ticketUrl('u1')
    await settled()
    const url = await testServer.ticketUrl('u2')
    await testServer.phone('amy').follow()
    testServer.time.advance(120_000)
    expect(await scan('amy', url)).toContain('此二维码已失效')
    expect(await testServer.bindInfo('u2')).toMatchObject({ IsBound: false })
  })

  test('answers the scan of a QR code without a user like the scan of an unknown scene, and binds nobody', async () => {
    const url = await testServer.ticketUrl('u1')
    const [ready = ''] = await readyUrls([url])
    const { scene = '' } = testServer.simulator.memory().qrcodes.find((each) => each.url === ready) ?? {}
    expect(await testServer.deps.store.write((tx) => tx.ticketByScene(scene))).toBeUndefined()
    expect(await scan('amy', ready)).toContain('此二维码已失效')
    // The earlier scan has stored nothing, so the same QR code binds once a user has this QR code.
    expect(await testServer.ticketUrl('u2')).toBe(ready)
    expect(await testServer.bindInfo('u2')).toMatchObject({ IsBound: false, Version: 0 })
    await scan('amy', ready)
    expect(await testServer.bindInfo('u2')).toMatchObject({ IsBound: true })
  })

  test('counts the QR codes that users get, not those made in advance, against the limits of users and tenants', async () => {
    await open({ QR_PER_MINUTE: '2', QR_PER_MINUTE_TENANT: '3' })
    const ask = (user: string) =>
      testServer.ticketUrl(user, true).then(
        () => 'OK',
        ({ code }: BindError) => code,
      )
    const answers = []
    for (const user of ['u1', 'u1', 'u1', 'u2', 'u2']) answers.push(await ask(user))
    expect(answers).toEqual(['OK', 'OK', 'RATE_LIMITED', 'OK', 'RATE_LIMITED'])
    await settled()
    // Three QR codes were taken, and four are ready.
    expect(callsToWechat()).toBe(7)
  })

  test('gives a user a new QR code after a Disconnect, and closes the displayed QR code', async () => {
    const first = await testServer.ticketUrl('u1')
    await scan('amy', first)
    const shown = await testServer.ticketUrl('u1')
    await testServer.client.disconnect({ account: 'acme', userId: 'u1' })
    expect(await testServer.ticketUrl('u1')).not.toBe(shown)
    await scan('bo', shown)
    expect(await testServer.bindInfo('u1')).toMatchObject({ IsBound: false })
  })

  test('serves the users of several tenants from one pool, each with a text code of its own', async () => {
    await testServer.ticketUrl('u1')
    await settled()
    testServer.simulator.faults.setDown(true)
    const ours = await testServer.widget('POST', '/qrcode', { user: 'u2' }).then((response) => response.json())
    const theirs = await testServer.otherTenant.getQrCode({ account: 'acme', userId: 'u2' })
    expect(theirs.Url).not.toBe(ours.url)
    testServer.simulator.faults.setDown(false)
    await testServer.phone('amy').follow()
    await testServer.phone('amy').sendText(`绑定 ${ours.code}`)
    expect(await testServer.bindInfo('u2')).toMatchObject({ IsBound: true })
    expect(await testServer.otherTenant.getBindInfo({ account: 'acme', userId: 'u2' })).toMatchObject({
      IsBound: false,
    })
  })

  test('asks WeChat for nothing after close', async () => {
    await testServer.ticketUrl('u1')
    await testServer.close()
    await settled()
    expect(callsToWechat()).toBe(5)
    testServer.time.advance(HOUR)
    await settled()
    expect(callsToWechat()).toBe(5)
    await open()
  })

  test('reports the pool in its metrics', async () => {
    for (const user of ['u1', 'u2']) {
      await testServer.ticketUrl(user)
      await settled()
    }
    const read = async () => {
      const all = await readMetrics(testServer)
      const names = ['funnel_total{step="shown"}', 'qrcodes_total{source="pool"}', 'qrcodes_total{source="request"}']
      return [...names, 'qrcodes_ready', 'qrcodes_unused_total'].map((name) => all.get(`wechat_bind_${name}`))
    }
    expect(await read()).toEqual([2, 1, 1, 4, 0])
    testServer.time.advance(5 * MINUTE)
    await settled()
    expect(await read()).toEqual([2, 1, 1, 0, 4])
  })
})
