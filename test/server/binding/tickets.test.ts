import { expect, test } from 'vitest'
import { openSqliteStore } from '../../../server/store/sqlite/sqlite-store.ts'
import { createTicketsConcurrently } from '../../support/concurrent-tickets.ts'

const amy = { tenant: 'default', account: 'acme', userId: 'amy' }

test('two simultaneous requests for one user get the same ticket, and only this ticket can be scanned', async () => {
  const store = await openSqliteStore({ file: ':memory:', hashOf: (...parts) => parts.join(), hasWebhook: () => false })
  const [one, other] = await createTicketsConcurrently([store, store], amy, false)
  expect(one).toEqual(other)
  expect(await store.liveTicket(amy, Date.now())).toEqual(one)
  // Each refresh gets a new ticket, and only the last ticket stays valid.
  const [first, second] = await createTicketsConcurrently([store, store], amy, true)
  expect(first?.id).not.toBe(second?.id)
  expect(await store.liveTicket(amy, Date.now())).toMatchObject({ id: Math.max(first!.id, second!.id) })
  await store.close()
})
