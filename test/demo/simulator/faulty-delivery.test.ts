import { describe, expect, test } from 'vitest'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { openMessage } from '../../../server/wechat/message.ts'
import { parseXml } from '../../../server/wechat/xml.ts'
import { createFixture } from './simulator-fixture.ts'

const events = (fixture: ReturnType<typeof createFixture>) =>
  fixture.simulator.wire.since(0).flatMap(({ kind, opened, fault }) => {
    const { Event = '', CreateTime = '' } = parseXml(opened) ?? {}
    return kind === 'callback' ? [{ Event, CreateTime, fault }] : []
  })

describe('faults.setCallback', () => {
  test('duplicate: the same message is delivered twice', async () => {
    const fixture = createFixture()
    fixture.simulator.faults.setCallback('duplicate')
    await fixture.simulator.phone('amy').follow()
    const [first, second, ...more] = events(fixture)
    expect(first).toMatchObject({ Event: 'subscribe' })
    expect(second).toEqual(first)
    expect(more).toEqual([])
    expect(fixture.deliveries).toHaveLength(2)
  })

  test('delay: the message is delivered 8 s late, with its original CreateTime', async () => {
    const fixture = createFixture()
    fixture.simulator.faults.setCallback('delay')
    const created = fixture.time.clock() / 1000
    const followed = fixture.simulator.phone('amy').follow()
    await fixture.time.advance(7_999)
    expect(fixture.deliveries).toEqual([])
    await fixture.time.advance(1)
    await followed
    expect(events(fixture)).toEqual([{ Event: 'subscribe', CreateTime: String(created), fault: '' }])
  })

  test('reorder: the message is delivered after the next message', async () => {
    const fixture = createFixture()
    fixture.simulator.faults.setCallback('reorder')
    const amy = fixture.simulator.phone('amy')
    await Promise.all([amy.follow(), amy.unfollow()])
    expect(events(fixture).map(({ Event }) => Event)).toEqual(['unsubscribe', 'subscribe'])
  })

  test('reorder: the message is delivered after 10 s if there is no next message', async () => {
    const fixture = createFixture()
    fixture.simulator.faults.setCallback('reorder')
    const followed = fixture.simulator.phone('amy').follow()
    await fixture.time.advance(10_000)
    await followed
    expect(fixture.deliveries).toHaveLength(1)
    expect(fixture.time.waiting()).toBe(0)
  })

  test('drop: the message is lost, and the chat displays no notice', async () => {
    const fixture = createFixture()
    fixture.simulator.faults.setCallback('drop')
    expect(await fixture.simulator.phone('amy').follow()).toEqual({ kind: 'silent' })
    expect(fixture.deliveries).toEqual([])
    expect(events(fixture)).toMatchObject([{ Event: 'subscribe', fault: 'dropped before the delivery' }])
  })

  test.each(['secure', 'compatible', 'plain'] as const)(
    'tamper: the signature check rejects the message, in %s mode',
    async (mode) => {
      const opens: boolean[] = []
      const fixture: ReturnType<typeof createFixture> = createFixture(check, { account: { mode } })
      const { token, encodingAesKey, appId } = fixture.simulator.account
      const crypts = [createCrypt(encodingAesKey, appId)]

      function check(url: string, { body }: RequestInit): Response {
        try {
          openMessage({ mode, token, crypts }, new URL(url).searchParams, String(body), fixture.time.clock())
          opens.push(true)
        } catch {
          opens.push(false)
        }
        return new Response('success')
      }

      await fixture.simulator.phone('amy').follow()
      fixture.simulator.faults.setCallback('tamper')
      await fixture.simulator.phone('amy').unfollow()
      expect(opens).toEqual([true, false])
    },
  )
})
