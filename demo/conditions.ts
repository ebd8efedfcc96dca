/**
 * The conditions are settings and faults of the running demo. Each has a short name and a few values, and the first value is
 * the default. The page's URL contains the names, so that a link reproduces a bug. Tests use them in `PUT /demo/conditions`.
 */
import { callbackFaults } from './simulator/faults.ts'

/** Errcodes of the endpoints that return access tokens. */
export const tokenErrcodes = ['40164', '61004', '40243', '89501', '89503', '89506', '89507'] as const
/** Errcodes of all other calls. */
export const callErrcodes = ['-1', '40001', '45009', '45011', '48001', '48004', '50002'] as const

const health = ['up', 'slow', 'down'] as const

export const conditionValues = {
  /** These three conditions are the settings CONFIRM, CONFLICT and UNSUBSCRIBE of the bind server. */
  confirm: ['off', 'reply', 'code'],
  conflict: ['reject', 'replace', 'allow'],
  unsubscribe: ['unbind', 'mark'],
  /** The callback mode. The demo sets it in the simulated console of WeChat and in the bind server. */
  mode: ['secure', 'compatible', 'plain'],
  /** The lifetime of a QR code: as configured, 10 s, or 2 s without an automatic replacement. */
  ticket: ['normal', 'short', 'ended'],
  /** The number of new QR codes that a user may request: as configured, or one per minute. */
  limits: ['normal', 'low'],
  /** The bind server's clock: accurate, 10 minutes ahead, or 10 minutes behind. */
  clock: ['right', 'ahead', 'behind'],
  server: health,
  store: health,
  wechat: health,
  errcode: ['none', ...callErrcodes, ...tokenErrcodes],
  callbacks: callbackFaults,
  /** The host site's webhook receiver, which is the same for all visitors. */
  receiver: ['up', 'error', 'busy', 'hang', 'moved', 'gone'],
} as const

export type ConditionName = keyof typeof conditionValues
export type Conditions = { [N in ConditionName]: (typeof conditionValues)[N][number] }

export const conditionNames = Object.keys(conditionValues) as ConditionName[]

/** The first value of every condition. */
export const defaultConditions = Object.fromEntries(
  conditionNames.map((name) => [name, conditionValues[name][0]]),
) as unknown as Conditions

/** Returns the valid conditions of `given`. Conditions that are missing or invalid come from `fallback`. */
export function toConditions(given: Record<string, unknown>, fallback: Conditions): Conditions {
  const pick = (name: ConditionName) => conditionValues[name].find((value) => value === given[name]) ?? fallback[name]
  return Object.fromEntries(conditionNames.map((name) => [name, pick(name)])) as unknown as Conditions
}

/**
 * Returns the error message for an invalid request body, and undefined for a valid one. Links are not checked here: the
 * page ignores unknown values in a link.
 */
export function describeInvalid(given: unknown): string | undefined {
  if (!given || typeof given !== 'object') return 'Expected a JSON object of conditions. 应为由条件组成的 JSON 对象。'
  for (const [name, value] of Object.entries(given)) {
    const values: readonly unknown[] | undefined = conditionValues[name as ConditionName]
    if (!values)
      return `Unknown condition "${name}": expected one of ${conditionNames.join(', ')}. 没有名为“${name}”的条件。`
    if (!values.includes(value)) return `${name} must be one of ${values.join(', ')}. ${name} 只能取其中之一。`
  }
  return undefined
}

/** Conditions that apply to the running bind server. All other conditions need a new server, because a server reads them at its start. */
const immediate: ConditionName[] = ['server', 'store', 'wechat', 'errcode', 'callbacks', 'receiver']

export const needsNewServer = (one: Conditions, other: Conditions): boolean =>
  differences(one, other).some((name) => !immediate.includes(name))

/** Returns the names of the conditions whose values differ. */
export const differences = (one: Conditions, other: Conditions): ConditionName[] =>
  conditionNames.filter((name) => one[name] !== other[name])
