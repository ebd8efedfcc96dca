/**
 * What can be set on demand while the demo runs, each under a short name with a few values, the first being the usual one.
 * The names stand in the page's URL, so that a bug report is a link, and in `PUT /demo/conditions` for tests.
 */
import { callbackFaults } from './simulator/faults.ts'

/** Answered by the endpoints that give access tokens. */
export const tokenErrcodes = ['40164', '61004', '40243', '89501', '89503', '89506', '89507'] as const
/** Answered by every other call. */
export const callErrcodes = ['-1', '40001', '45009', '45011', '48001', '48004', '50002'] as const

const health = ['up', 'slow', 'down'] as const

export const conditionValues = {
  /** The bind server's own settings. */
  confirm: ['off', 'reply', 'code'],
  conflict: ['reject', 'replace', 'allow'],
  unsubscribe: ['unbind', 'mark'],
  /** Of the account's console and of the server alike. */
  mode: ['secure', 'compatible', 'plain'],
  /** How long a QR code lives: as configured, 10 s, or 2 s. */
  ticket: ['normal', 'short', 'ended'],
  /** The bind server's clock, against WeChat's and the product's: 10 minutes off. */
  clock: ['right', 'ahead', 'behind'],
  server: health,
  store: health,
  wechat: health,
  errcode: ['none', ...callErrcodes, ...tokenErrcodes],
  callbacks: callbackFaults,
} as const

export type ConditionName = keyof typeof conditionValues
export type Conditions = { [N in ConditionName]: (typeof conditionValues)[N][number] }

export const conditionNames = Object.keys(conditionValues) as ConditionName[]

/** All is well, and the bind server as it comes. */
export const usual = Object.fromEntries(
  conditionNames.map((name) => [name, conditionValues[name][0]]),
) as unknown as Conditions

/** What `given` holds of them, in right spelling; the rest is as in `otherwise`. */
export function toConditions(given: Record<string, unknown>, otherwise: Conditions): Conditions {
  const pick = (name: ConditionName) => conditionValues[name].find((value) => value === given[name]) ?? otherwise[name]
  return Object.fromEntries(conditionNames.map((name) => [name, pick(name)])) as unknown as Conditions
}

/** What a program gave that is no condition, in words; a link may hold what it likes. */
export function faultIn(given: unknown): string | undefined {
  if (!given || typeof given !== 'object') return 'Expected a JSON object of conditions. 应为由条件组成的 JSON 对象。'
  for (const [name, value] of Object.entries(given)) {
    const values: readonly unknown[] | undefined = conditionValues[name as ConditionName]
    if (!values)
      return `"${name}" is no condition: expected one of ${conditionNames.join(', ')}. 没有名为「${name}」的条件。`
    if (!values.includes(value)) return `${name} must be one of ${values.join(', ')}. ${name} 只能取其中之一。`
  }
  return undefined
}

/** Take effect in the bind server that there is; the others need one that has read them at its start. */
const immediate: ConditionName[] = ['server', 'store', 'wechat', 'errcode', 'callbacks']

export const needAnotherServer = (one: Conditions, other: Conditions): boolean =>
  differences(one, other).some((name) => !immediate.includes(name))

/** The names under which the two differ. */
export const differences = (one: Conditions, other: Conditions): ConditionName[] =>
  conditionNames.filter((name) => one[name] !== other[name])
