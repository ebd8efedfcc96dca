/** How long a valid GetBindInfo takes over loopback, sealed by the client and opened again: `npm run bench host-api`. */
import { startListening, stopListening } from '../../server/main.ts'
import { openHouse } from '../support/house.ts'
import { median, percentile } from './statistics.ts'

const ROUNDS = 2_000

const house = await openHouse({ LOG_LEVEL: 'silent' })
const { server, url } = await startListening(house.app, '127.0.0.1', 0)
const client = house.clientOver(url)
const subject = { account: 'acme', userId: 'u1' }
for (let i = 0; i < 200; i++) await client.getBindInfo(subject)

const times: number[] = []
for (let i = 0; i < ROUNDS; i++) {
  const startedAt = performance.now()
  await client.getBindInfo(subject)
  times.push(performance.now() - startedAt)
}
console.log(`GetBindInfo over loopback, ${ROUNDS} in a row: p50 ${median(times)} ms, p99 ${percentile(times, 0.99)} ms`)

await stopListening(server)
await house.close()
