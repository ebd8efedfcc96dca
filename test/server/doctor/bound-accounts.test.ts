import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkBoundAccounts } from '../../../server/doctor/bound-accounts.ts'
import { countBindings } from '../../../server/doctor/inspect-store.ts'
import { openTestServer } from '../../support/test-server.ts'
import { type DoctorFixture, idsOf, openDoctorFixture } from './doctor-fixture.ts'

let fixture: DoctorFixture
beforeEach(async () => {
  fixture = await openDoctorFixture()
})
afterEach(() => fixture.close())

const check = (WECHAT_APP_ID: string, DATABASE_URL = fixture.storeUrl) =>
  checkBoundAccounts(fixture.config({ DATABASE_URL, WECHAT_APP_ID }), countBindings)

describe('checkBoundAccounts', () => {
  test('counts the bindings of another account', async () => {
    expect(await check('wx1')).toEqual([])
    const testServer = await openTestServer({ DATABASE_URL: fixture.storeUrl })
    await testServer.phone('amy').scan(await testServer.ticketUrl())
    await testServer.phone('amy').follow()
    await testServer.close()
    const { appId } = testServer.simulator.account
    expect(await check(appId)).toEqual([])
    const findings = await check('wx0000000000000000')
    expect(idsOf(findings)).toEqual(['store.other-account warn'])
    expect(findings[0]?.en).toMatch(/^1 binding belongs to an Official Account other than/)
  })

  test('finds nothing if the store is unreachable, because another check reports it', async () => {
    expect(await check('wx1', 'postgres://nobody@127.0.0.1:1/none')).toEqual([])
  })
})
