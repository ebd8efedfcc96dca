import { describe, expect, test } from 'vitest'
import { createCrypt } from '../../../server/wechat/crypt.ts'
import { openMessage } from '../../../server/wechat/message.ts'
import { parseXml } from '../../../server/wechat/xml.ts'
import { setStage } from './simulator-fixture.ts'

const events = (stage: ReturnType<typeof setStage>) =>
  stage.simulator.wire.since(0).flatMap(({ kind, opened, fault }) => {
    const { Event = '', CreateTime = '' } = parseXml(opened) ?? {}
    return kind === 'callback' ? [{ Event, CreateTime, fault }] : []
  })

describe('faults.setCallback', () => {
  test('duplicate: the same message comes twice', async () => {
    const stage = setStage()
    stage.simulator.faults.setCallback('duplicate')
    await stage.simulator.phone('amy').follow()
    const [first, second, ...more] = events(stage)
    expect(first).toMatchObject({ Event: 'subscribe' })
    expect(second).toEqual(first)
    expect(more).toEqual([])
    expect(stage.deliveries).toHaveLength(2)
  })

  test('delay: it comes 8 s late, under its old CreateTime', async () => {
    const stage = setStage()
    stage.simulator.faults.setCallback('delay')
    const created = stage.time.clock() / 1000
    const followed = stage.simulator.phone('amy').follow()
    await stage.time.advance(7_999)
    expect(stage.deliveries).toEqual([])
    await stage.time.advance(1)
    await followed
    expect(events(stage)).toEqual([{ Event: 'subscribe', CreateTime: String(created), fault: '' }])
  })

  test('reorder: the next one overtakes it', async () => {
    const stage = setStage()
    stage.simulator.faults.setCallback('reorder')
    const amy = stage.simulator.phone('amy')
    await Promise.all([amy.follow(), amy.unfollow()])
    expect(events(stage).map(({ Event }) => Event)).toEqual(['unsubscribe', 'subscribe'])
  })

  test('reorder: it comes after 10 s when nothing overtakes it', async () => {
    const stage = setStage()
    stage.simulator.faults.setCallback('reorder')
    const followed = stage.simulator.phone('amy').follow()
    await stage.time.advance(10_000)
    await followed
    expect(stage.deliveries).toHaveLength(1)
    expect(stage.time.waiting()).toBe(0)
  })

  test('drop: it never comes, and nobody in the chat hears of it', async () => {
    const stage = setStage()
    stage.simulator.faults.setCallback('drop')
    expect(await stage.simulator.phone('amy').follow()).toEqual({ kind: 'silent' })
    expect(stage.deliveries).toEqual([])
    expect(events(stage)).toMatchObject([{ Event: 'subscribe', fault: 'dropped on its way' }])
  })

  test.each(['secure', 'compatible', 'plain'] as const)(
    'tamper: what comes is refused by who checks it, in %s mode',
    async (mode) => {
      const opens: boolean[] = []
      const stage: ReturnType<typeof setStage> = setStage(check, { account: { mode } })
      const { token, encodingAesKey, appId } = stage.simulator.account
      const crypts = [createCrypt(encodingAesKey, appId)]

      function check(url: string, { body }: RequestInit): Response {
        const query = Object.fromEntries([...new URL(url).searchParams].map(([name, value]) => [name, [value]]))
        try {
          openMessage({ mode, token, crypts }, query, String(body), stage.time.clock())
          opens.push(true)
        } catch {
          opens.push(false)
        }
        return new Response('success')
      }

      await stage.simulator.phone('amy').follow()
      stage.simulator.faults.setCallback('tamper')
      await stage.simulator.phone('amy').unfollow()
      expect(opens).toEqual([true, false])
    },
  )
})
