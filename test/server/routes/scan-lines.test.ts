/** Every outcome of a scan is logged as one line at `info`. The lines of the page's requests name the user with the same hash. */
import { afterEach, describe, expect, test } from 'vitest'
import { SCAN_LINE } from '../../../server/binding/scan-outcome.ts'
import type { Env } from '../../../server/config/config.ts'
import { openTestServer, type TestServer } from '../../support/test-server.ts'

let testServer: TestServer
afterEach(() => testServer?.close())

const open = async (env: Env = {}) => {
  testServer = await openTestServer(env)
}

type Line = { outcome: string; reason: string; user?: string; message: string }

/** `outcome reason` of each line, oldest first. */
const stories = () => lines().map(({ outcome, reason }) => `${outcome} ${reason}`)

const lines = () =>
  testServer.log.lines.map((line) => JSON.parse(line) as Line).filter(({ message }) => message === SCAN_LINE)

const nameOf = async (user = 'u1') => (await testServer.widget('GET', '/binding', { user })).headers.get('Bind-User')

const sceneOf = (url: string) => testServer.simulator.memory().qrcodes.find((qrcode) => qrcode.url === url)?.scene ?? ''

const newScene = async (user = 'u1', isRefresh = false) => sceneOf(await testServer.ticketUrl(user, isRefresh))

const deliver = async (fields: Record<string, string>) => (await testServer.deliver(fields)).text()

const scan = (scene: string, FromUserName = 'oAmy') => deliver({ Event: 'SCAN', EventKey: scene, FromUserName })

const say = (Content: string, FromUserName = 'oAmy') =>
  deliver({ MsgType: 'text', Content, MsgId: Content, FromUserName })

describe('the log line of a scan', () => {
  test('has the outcome, the reason and the same hash of the user as the lines of the page', async () => {
    await open()
    const name = await nameOf()
    await scan(await newScene())
    expect(lines()).toEqual([expect.objectContaining({ outcome: 'bound', reason: 'scan', user: name })])
    // A refused request of the page is logged with the same hash.
    expect((await testServer.widget('POST', '/confirm', { body: { code: '0000' } })).status).toBe(409)
    const refused = testServer.log.lines.filter((line) => line.includes('NOT_SCANNED')).map((line) => JSON.parse(line))
    expect(refused.at(-1)).toMatchObject({ route: '/widget/confirm', user: name })
  })

  test('distinguishes a repeated delivery, a bound WeChat, a used code and a conflict', async () => {
    await open()
    const scene = await newScene()
    for (const _ of ['first', 'again']) await scan(scene)
    testServer.time.advance(1_000)
    await scan(scene)
    await scan(scene, 'oBo')
    await scan(await newScene('u2'))
    expect(stories()).toEqual([
      'bound scan',
      'duplicate delivery',
      'duplicate already_bound',
      'used other_wechat',
      'conflict other_user',
    ])
    expect(lines().at(-1)?.user).toBe(await nameOf('u2'))
    expect(
      new Set(
        lines()
          .slice(0, 4)
          .map(({ user }) => user),
      ),
    ).toEqual(new Set([await nameOf()]))
  })

  test('has the reason why a code is expired', async () => {
    await open()
    const first = await newScene()
    await newScene('u1', true)
    await scan(first)
    const late = await newScene('u2')
    testServer.time.advance(30 * 60_000)
    await scan(late)
    await scan('wb1_unknown')
    expect(stories()).toEqual(['expired replaced', 'expired ticket_ttl', 'expired unknown_code'])
    expect(lines()[2]).not.toHaveProperty('user')
  })

  test('is written for a confirmation in the chat', async () => {
    await open({ CONFIRM: 'reply' })
    const scene = await newScene()
    await scan(scene)
    testServer.time.advance(1_000)
    await scan(scene)
    await say('确认')
    expect(stories()).toEqual(['scanned scan', 'scanned again', 'bound scan'])
    expect(new Set(lines().map(({ user }) => user))).toEqual(new Set([await nameOf()]))
  })

  test('is written for digits on the page, and for a scan that nobody confirms', async () => {
    await open({ CONFIRM: 'code' })
    await testServer.phone('amy').scan(await testServer.ticketUrl())
    const reply = await testServer.phone('amy').follow()
    const [code] = /\d{4}/.exec(JSON.stringify(reply)) ?? []
    expect((await testServer.widget('POST', '/confirm', { body: { code } })).status).toBe(200)
    await testServer.phone('bo').scan(await testServer.ticketUrl('u2'))
    await testServer.phone('bo').follow()
    testServer.time.advance(121_000)
    await testServer.widget('GET', '/binding', { user: 'u2' })
    expect(stories()).toEqual(['scanned scan', 'bound scan', 'scanned scan', 'expired not_confirmed'])
    expect(lines().at(-1)?.user).toBe(await nameOf('u2'))
  })

  test('is written for a code sent in the chat, and for a scan of another system', async () => {
    await open()
    const { code } = (await (await testServer.widget('POST', '/qrcode', { body: {} })).json()) as { code: string }
    await say('bind 22222222')
    await say(`bind ${code}`)
    await scan('vendor_1')
    await deliver({ Event: 'subscribe', EventKey: 'qrscene_vendor' })
    expect(stories()).toEqual(['other wrong_code', 'bound text', 'other foreign_scene', 'other foreign_scene'])
  })

  test('is not written for an unfollow, a command or a message that is not about binding', async () => {
    await open()
    await scan(await newScene())
    testServer.time.advance(1_000)
    await say('解绑')
    await say('hello')
    await deliver({ Event: 'unsubscribe', EventKey: '' })
    expect(stories()).toEqual(['bound scan'])
  })
})
