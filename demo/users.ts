/** The demo's signed-in users. A real host site has them in its own database. */
import { testUsers } from '../server/binding/test-users.ts'

/** Who holds a phone. Cai's WeChat is another user's already. */
export const people = ['amy', 'bo', 'cai'] as const
export const TAKEN = 'cai'

export const ACCOUNT = 'acme'

export type User = {
  id: string
  name: string
  email: string /** What the WeChat reply calls the account. */
  label: string
}

export const users: readonly [User, ...User[]] = [
  { id: 'lin', name: '林悦 Lin Yue', email: 'lin.yue@example.com', label: 'li***@example.com' },
  { id: 'chen', name: '陈浩 Chen Hao', email: 'chen.hao@example.com', label: 'ch***@example.com' },
  { id: 'zhou', name: '周宁 Zhou Ning', email: 'zhou.ning@example.com', label: 'zh***@example.com' },
]

/** For automated tests: each behaves in its one way, whatever the phone does. */
export const magicUsers: readonly User[] = testUsers.map((id) => ({
  id,
  name: id,
  email: `${id}@example.com`,
  label: 'te***@example.com',
}))

export const findUser = (id: string | null | undefined): User | undefined =>
  [...users, ...magicUsers].find((user) => user.id === id)
