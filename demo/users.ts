/** The users of the demo's host site. A real site reads its users from a database. */
import { testUsers as testUserIds } from '../server/binding/test-users.ts'

/** The people with a simulated phone. The WeChat of `cai` is bound to another user. */
export const people = ['amy', 'bo', 'cai'] as const
export const TAKEN = 'cai'

export const ACCOUNT = 'acme'

export type User = {
  id: string
  name: string
  email: string
  /** The user's name in WeChat's reply. */
  label: string
}

export const users: readonly [User, ...User[]] = [
  { id: 'lin', name: '林悦 Lin Yue', email: 'lin.yue@example.com', label: 'li***@example.com' },
  { id: 'chen', name: '陈浩 Chen Hao', email: 'chen.hao@example.com', label: 'ch***@example.com' },
  { id: 'zhou', name: '周宁 Zhou Ning', email: 'zhou.ning@example.com', label: 'zh***@example.com' },
]

/** Users for automated tests; demo/test-users.ts implements their behaviour. */
export const testUsers: readonly User[] = testUserIds.map((id) => ({
  id,
  name: id,
  email: `${id}@example.com`,
  label: 'te***@example.com',
}))

export const findUser = (id: string | null | undefined): User | undefined =>
  [...users, ...testUsers].find((user) => user.id === id)
