import { describe, expect, test } from 'vitest'
import { toTicket } from '../../../demo/simulator/ticket.ts'
import { createFixture } from './simulator-fixture.ts'

/** Returns the `EventKey` of the event after a follower scans the QR code of this request. */
async function sceneOf(request: unknown): Promise<string | undefined> {
  const { simulator, createQrcode } = createFixture()
  await simulator.phone('amy').follow()
  await simulator.phone('amy').scan((await createQrcode(request)).url)
  return /<EventKey><!\[CDATA\[(.*?)\]\]>/.exec(simulator.wire.since(0).at(-1)?.opened ?? '')?.[1]
}

const textScene = (scene_str: string, more = {}) => ({
  expire_seconds: 120,
  action_name: 'QR_STR_SCENE',
  action_info: { scene: { scene_str, ...more } },
})

describe('POST /cgi-bin/qrcode/create', () => {
  test('returns the ticket, expire_seconds and the url of the QR code', async () => {
    const answer = await createFixture().createQrcode(textScene('wb1_one'))
    expect(answer).toEqual({
      ticket: expect.stringMatching(/^gQ[A-Za-z0-9+/]{94}$/),
      expire_seconds: 120,
      url: expect.stringMatching(/^http:\/\/weixin\.qq\.com\/q\/02[A-Za-z0-9_-]{20}$/),
    })
  })

  test.each([
    [undefined, 60],
    ['600', 60],
    [600, 600],
    [2_592_000, 2_592_000],
    [2_592_001, 2_592_000],
  ])('interprets the value %o of expire_seconds as %i s', async (expire_seconds, life) => {
    expect((await createFixture().createQrcode({ ...textScene('a'), expire_seconds })).expire_seconds).toBe(life)
  })

  test('returns a permanent code without expire_seconds', async () => {
    const action_info = { scene: { scene_str: 'for-ever' } }
    const answer = await createFixture().createQrcode({ action_name: 'QR_LIMIT_STR_SCENE', action_info })
    expect(Object.keys(answer)).toEqual(['ticket', 'url'])
  })

  test('rejects an invalid token, and creates no code', async () => {
    expect((await createFixture().createQrcode(textScene('a'), 'made-up')).errcode).toBe(40014)
  })

  test.each([
    ['no action_name', { ...textScene('a'), action_name: undefined }, 40052],
    ['an unknown action_name', { ...textScene('a'), action_name: 'QR_STR' }, 40052],
    ['no action_info', { action_name: 'QR_STR_SCENE' }, 40053],
    [
      'a permanent code with a scene_id above 100000',
      { action_name: 'QR_LIMIT_SCENE', action_info: { scene: { scene_id: 100_001 } } },
      40053,
    ],
    [
      'a permanent code with a scene_str of more than 64 characters',
      { ...textScene('a'.repeat(65)), action_name: 'QR_LIMIT_STR_SCENE' },
      40053,
    ],
  ])('rejects %s', async (_, request, errcode) => {
    expect((await createFixture().createQrcode(request)).errcode).toBe(errcode)
  })

  test.each([
    ['without the inner scene', { ...textScene('a'), action_info: { scene_str: 'wb1_one' } }],
    ['with both scene_id and scene_str', textScene('wb1_one', { scene_id: 7 })],
    ['with a string in scene_id', { action_name: 'QR_SCENE', action_info: { scene: { scene_id: '7' } } }],
  ])('creates a code with scene 0 and no error for a request %s', async (_, request) => {
    expect(await sceneOf(request)).toBe('0')
  })

  test.each([
    [textScene('wb1_a-b_c'), 'wb1_a-b_c'],
    [textScene('a'.repeat(65)), 'a'.repeat(65)],
    [{ action_name: 'QR_SCENE', action_info: { scene: { scene_id: 7 } } }, '7'],
    [{ action_name: 'QR_SCENE', action_info: { scene: { scene_id: 4_294_967_296 } } }, '4294967295'],
  ])('creates a code with the scene of the request %j', async (request, scene) => {
    expect(await sceneOf(request)).toBe(scene)
  })
})

describe('toTicket', () => {
  test('returns a ticket in the format of a published ticket', () => {
    const published = 'gQGv7zwAAAAAAAAAAS5odHRwOi8vd2VpeGluLnFxLmNvbS9xLzAydzVld0FUcmxjTkYxcEhEMnh5MVEAAgQvp0JiAwQ8AAAA'
    const mark = Buffer.from(published, 'base64').subarray(2, 4)
    expect(toTicket('http://weixin.qq.com/q/02w5ewATrlcNF1pHD2xy1Q', 1_648_535_343, 60, () => mark)).toBe(published)
  })
})

describe('GET /cgi-bin/showqrcode', () => {
  test('returns an image for the ticket of a QR code, and 404 for an unknown ticket', async () => {
    const { simulator, createQrcode } = createFixture()
    const { ticket } = await createQrcode(textScene('wb1_one'))
    const picture = await simulator.app.request(`/cgi-bin/showqrcode?ticket=${encodeURIComponent(ticket)}`)
    expect(picture.headers.get('Content-Type')).toBe('image/png')
    expect((await simulator.app.request('/cgi-bin/showqrcode?ticket=gQ')).status).toBe(404)
  })
})
