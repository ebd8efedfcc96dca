/**
 * The outcome of a scan or of a web authorization, as the fields of a log line. The line explains why a page shows no binding.
 * Pure.
 */
import type { ErrorCode } from '../errors.ts'
import type { Identity, TicketState } from '../store/store.ts'
import type { Decision } from './decision.ts'

/** `reason` is one of a fixed set of words. `identity` is the user of the QR code; absent if the server does not know the code. */
export type ScanOutcome = { outcome: OutcomeName; reason: string; identity?: Identity | undefined }

type OutcomeName = 'bound' | 'scanned' | 'conflict' | 'expired' | 'used' | 'duplicate' | 'other'

/** The message of every log line about a scan, so that one filter finds all these lines. */
export const SCAN_LINE = 'a scan was handled'

/** The fields of this line. `nameOf` returns a name that says nothing about the user. */
export const toScanFields = ({ outcome, reason, identity }: ScanOutcome, nameOf: (identity: Identity) => string) => ({
  outcome,
  reason,
  user: identity && nameOf(identity),
})

/** A scan of a QR code that another system made. */
export const foreignScan: ScanOutcome = { outcome: 'other', reason: 'foreign_scene' }

/** WeChat delivered the same scan again. */
export const repeatedScan = (identity?: Identity): ScanOutcome => ({
  outcome: 'duplicate',
  reason: 'delivery',
  identity,
})

/** The user did not confirm the scan in time. */
export const unconfirmedScan = (identity: Identity): ScanOutcome => ({
  outcome: 'expired',
  reason: 'not_confirmed',
  identity,
})

/** The outcome of a web authorization. With `other`, the reason says why the authorization bound nobody. */
export function authorizationOutcome(identity: Identity, result: 'bound' | 'already_bound' | ErrorCode): ScanOutcome {
  const is = (outcome: OutcomeName, reason: string): ScanOutcome => ({ outcome, reason, identity })
  switch (result) {
    case 'bound':
      return is('bound', 'oauth')
    case 'already_bound':
      return is('duplicate', result)
    case 'CONFLICT':
      return is('conflict', 'other_user')
    case 'PROOF_EXPIRED':
      return is('expired', 'authorization')
    case 'FORBIDDEN':
      return is('other', 'other_page_user')
    default:
      return is('other', result.toLowerCase())
  }
}

/** `state` is the state of the ticket before the decision. */
export function toScanOutcome(decision: Decision, identity?: Identity, state?: TicketState['name']): ScanOutcome {
  const is = (outcome: OutcomeName, reason: string): ScanOutcome => ({ outcome, reason, identity })
  for (const change of decision.changes) {
    if (change.type === 'bind') return is('bound', change.reason)
    if (change.type === 'scan') return is('scanned', change.confirmation.reason)
  }
  const said = decision.reply?.name
  switch (said) {
    case 'bound':
      return repeatedScan(identity)
    case 'already_bound':
      return is('duplicate', said)
    case 'confirm_reply':
    case 'confirm_code':
      return is('scanned', 'again')
    case 'conflict':
      return is('conflict', 'other_user')
    case 'used':
      return is('used', 'other_wechat')
    case 'expired':
      return is('expired', whyExpired(state))
    default:
      // There is no reply to a scan that is older than the last unfollow or the present binding.
      return is('other', said ?? 'older')
  }
}

function whyExpired(state: TicketState['name'] | undefined): string {
  if (state === undefined) return 'unknown_code'
  if (state === 'pending') return 'ticket_ttl'
  if (state === 'dead') return 'wrong_digits'
  return state === 'replaced' ? 'replaced' : 'not_confirmed'
}
