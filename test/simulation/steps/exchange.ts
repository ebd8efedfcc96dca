/** A request of a step: the code that sends it, the code that reads its answer, and the operation of the model. */
import type { Answer as HttpAnswer } from '../../../server/http/answer.ts'
import type { Op } from '../model/explain.ts'
import type { Answer } from '../model/page.ts'
import type { UserKey } from '../model/state.ts'
import type { Instance, LOST } from '../world/instance.ts'
import { userKeys } from '../world/world.ts'

/** The server has answered with an error. */
export const FAILED = Symbol('failed')
/** There is no answer yet. */
export const PENDING = Symbol('pending')
/** The page waits for a change. */
export const PARKED = Symbol('parked')

/** The result in an answer, or the fault of the answer. */
export type Outcome = { value: unknown } | { fault: string }

export type Exchange = {
  instance: Instance
  send: () => Promise<HttpAnswer | typeof LOST | object>
  read: (answer: HttpAnswer | object) => Promise<Outcome> | Outcome
  /** `isPending` means that WeChat has not answered the server yet. `mayFail` means that the store may have failed. */
  op: (how: { isPending: boolean; mayFail: boolean }) => Op
  /** What a server whose store is down may still do. By default nothing. */
  opWithoutStore?: Op
  /** While the request waits for WeChat, the story sends no other request of this name. */
  only?: string
}

/** The end of an operation whose request waits for WeChat. */
export type Later = {
  /** The user whose data the operation changes, `*` for all users, or `nobody`. */
  key: UserKey | '*' | 'nobody'
  /** Gets the result of another request of the same user, which ends before. */
  isJoined?: boolean | undefined
  /**
   * `latestEpoch`: the user's epoch at the end of the step in which WeChat was asked. `views`: what a page could be told
   * of the user at the end of that step and of each step since.
   */
  resume: (how: { mayFail: boolean; latestEpoch: number; views: Answer[] }) => Op
}

/** The result of an operation that waits for WeChat. */
export const later = (part: Later): { later: Later } => ({ later: part })

export const isLater = (answer: unknown): answer is { later: Later } =>
  typeof answer === 'object' && answer !== null && 'later' in answer

export const labels = [null, 'Li', 'Wu'] as const

export const keyOf = ({ user }: { user: number }): UserKey => userKeys[user % userKeys.length]!

/** `INTERNAL` is never a correct answer. */
export function readRefusal(code: string, triesLeft?: unknown): Outcome {
  if (code === 'STORE_UNAVAILABLE') return { value: FAILED }
  if (code === 'INTERNAL') return { fault: 'the server answered INTERNAL' }
  if (code.startsWith('WECHAT_')) return { value: { code: 'WECHAT' } }
  return { value: { code, ...(triesLeft === undefined ? {} : { triesLeft }) } }
}
