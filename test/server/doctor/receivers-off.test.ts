import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findReceiversOff } from '../../../server/doctor/inspect-store.ts'
import { checkReceiversOff } from '../../../server/doctor/receivers-off.ts'
import { openStore } from '../../../server/store/open-store.ts'
import { type DoctorFixture, idsOf, openDoctorFixture } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const check = (DATABASE_URL = fixture.storeUrl) => {
  const webhook = {
    WEBHOOK_URL: 'https://hook.test',
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  }
  return checkReceiversOff(fixture.config({ DATABASE_URL, ...webhook }), findReceiversOff)
}

describe('checkReceiversOff', () => {
  test('finds a receiver that is switched off, and says how to enable it', async () => {
    expect(await check()).toEqual([])
    const store = await openStore(fixture.storeUrl, { hashOf: String, hasWebhook: () => false })
    const failed = { now: 1, failure: { status: 410, error: null }, isGone: true, pausedUntil: null }
    for (const name of ['WEBHOOK_URL', 'removed']) await store.outbox.receiverFailed({ ...failed, name })
    const findings = await check()
    expect(idsOf(findings)).toEqual(['webhooks.off wrong'])
    expect(findings[0]).toMatchObject({
      en: expect.stringContaining('because it answered 410'),
      fix: { en: expect.stringContaining('wechat-bind webhooks enable WEBHOOK_URL') },
    })
    await store.outbox.enable('WEBHOOK_URL', 2)
    expect(await check()).toEqual([])
    await store.close()
  })

  test('finds nothing if the store is unreachable, because another check reports it', async () => {
    expect(await check('postgres://nobody@127.0.0.1:1/none')).toEqual([])
  })
})
