/** A server that is killed again and again under steady callbacks, and what it knows of those that it answered. */
import { randomBytes } from 'node:crypto'
import { createAccount } from '../../demo/simulator/account.ts'
import { deliverScan, replyText, startInstance } from './instance.ts'
import { seedTickets } from './rows.ts'

const USERS_A_ROUND = 40

const account = createAccount({}, randomBytes)

/** In each round: all scan at once, the process dies after a random one of the answers; the next round finds what it left. */
export async function killInRounds(databaseUrl: string, rounds: number) {
  await seedTickets(databaseUrl, account.appId, rounds * USERS_A_ROUND)
  const answered: number[] = []
  for (let round = 0; round < rounds; round++) {
    await using instance = await startInstance(account, { DATABASE_URL: databaseUrl })
    const killAfter = Math.floor(Math.random() * USERS_A_ROUND)
    let done = 0
    const users = Array.from({ length: USERS_A_ROUND }, (_, i) => round * USERS_A_ROUND + i)
    await Promise.all(
      users.map(async (user) => {
        const answer = await deliverScan(account, instance, { openid: `oUser${user}`, scene: `wb1_u${user}` })
        if (replyText(answer) === 'bound') answered.push(user)
        if (++done > killAfter) instance.child.kill('SIGKILL')
      }),
    )
    await instance.end('SIGKILL')
  }
  await using instance = await startInstance(account, { DATABASE_URL: databaseUrl })
  const lost: number[] = []
  for (const user of answered) {
    const { OpenId } = await instance.client.getBindInfo({ account: 'acme', userId: `u${user}` })
    if (OpenId !== `oUser${user}`) lost.push(user)
  }
  return { answered, lost }
}
