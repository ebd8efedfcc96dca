/**
 * Repeatedly kills a server while it receives callbacks. Finds the callbacks that the server answered although their
 * binding is missing.
 */
import { randomBytes } from 'node:crypto'
import { createAccount } from '../../demo/simulator/account.ts'
import { deliverScan, replyText, startInstance } from './instance.ts'
import { seedTickets } from './rows.ts'

const USERS_PER_ROUND = 40

const account = createAccount({}, randomBytes)

/**
 * In each round all users scan at once, and the process is killed after a random number of answers. All rounds use the
 * same store.
 */
export async function killInRounds(databaseUrl: string, rounds: number) {
  await seedTickets(databaseUrl, account.appId, rounds * USERS_PER_ROUND)
  const answered: number[] = []
  for (let round = 0; round < rounds; round++) {
    await using instance = await startInstance(account, { DATABASE_URL: databaseUrl })
    const killAfter = Math.floor(Math.random() * USERS_PER_ROUND)
    let done = 0
    const users = Array.from({ length: USERS_PER_ROUND }, (_, i) => round * USERS_PER_ROUND + i)
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
