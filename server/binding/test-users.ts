/** User_IDs with a fixed behaviour in the demo, for the tests of host sites. A server that calls the real WeChat refuses them. */
import { BindError } from '../errors.ts'

export const testUsers = [
  'test-always-bound',
  'test-expires',
  'test-conflict',
  'test-slow',
  'test-unsubscribes',
] as const

export type TestUser = (typeof testUsers)[number]

const isTestUser = (userId: unknown): userId is TestUser => testUsers.includes(userId as TestUser)

/** Throws `TEST_USER` for a test user. Accepts a value of any type, because the encrypted API checks types after this call. */
export function refuseTestUser(userId: unknown): void {
  if (isTestUser(userId)) {
    throw new BindError(
      'TEST_USER',
      `User_ID ${userId} works only with the simulator ("npx wechat-bind demo"): use an id of your own users here.`,
    )
  }
}
